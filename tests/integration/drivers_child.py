"""A process that does all that a driver that unpacks can do, again and again, until killed."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from nacre.errors import AlreadyExists, Conflict, NotFound, Unsupported
from nacre.layers.union import union
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.driver import StorageDriver
from nacre.storage.namespace import enter, usual_ownership
from nacre.testing.hard_stacks import BASE
from nacre.testing.members import Member, file, gone
from nacre.testing.memory_layers import MemoryLayers
from nacre.testing.seen import expected, found
from tests.integration.driver_makers import DRIVERS

KEPT: list[list[Member]] = [list(BASE), [file("tmp/f", b"irregular")]]


PLACES: dict[str, Callable[[], None]] = {
    "outside": lambda: None,
    "inside": enter,
    "inside with one number": lambda: enter(ranges=False),
}
"""Where to work: perhaps in a user namespace. Each says how to get there."""


def run(name: str, base: str, seed: str, place: str) -> None:
    """Work until killed; tells of what is not as it should be."""
    PLACES[place]()
    dice, number = random.Random(seed), 0
    layers = MemoryLayers(Path(base) / f"tars{seed}")
    driver = DRIVERS[name](Path(base), layers)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        number += 1
        steps = all_steps(driver, layers, Path(base) / "at", f"top{seed}", dice.randrange(4))
        for step in dice.sample(steps, len(steps)):
            with suppress(AlreadyExists, NotFound, Conflict, Unsupported):
                step()


def all_steps(
    driver: StorageDriver, layers: MemoryLayers, at: Path, name: str, variant: int
) -> list[Callable[[], object]]:
    """Return everything that a driver can do, as actions without arguments."""
    kept = layers.chain(*KEPT)
    extra = [file(f"etc/f{number}", b"%d" % variant * 3000) for number in range(30)]
    chain = layers.chain(*KEPT, [gone("home")], extra)
    return [
        lambda: take_in(driver, layers, chain.layers[0]),
        lambda: take_in(driver, layers, chain.layers[-1]),
        lambda: driver.make_ready(chain),
        lambda: look(driver, layers, chain),
        lambda: look(driver, layers, kept),
        lambda: driver.attach(kept, at),
        lambda: driver.detach(at),
        lambda: driver.prepare(name, kept),
        lambda: write(driver, name),
        lambda: driver.remove(name),
        lambda: driver.prune([kept]),
        driver.recover,
    ]


def take_in(driver: StorageDriver, layers: MemoryLayers, layer: Digest) -> None:
    """Let a layer pass a sink, in pieces."""
    tar = layers.bytes_of(layer)
    with driver.sink() as sink:
        for start in range(0, len(tar), 10_000):
            sink.write(tar[start : start + 10_000])
        sink.commit(layers.toc(layer))


def look(driver: StorageDriver, layers: MemoryLayers, chain: Chain) -> None:
    """Look at a tree while it is mounted."""
    tree = union(map(layers.toc, chain.layers))
    with driver.mounted(chain) as root:
        if found(root, usual_ownership()) != expected(tree, layers, usual_ownership()):
            sys.stdout.write("wrong\n")
            sys.stdout.flush()


def write(driver: StorageDriver, name: str) -> None:
    """Write to a writable top, and look at what was written."""
    with driver.writable(name) as root:
        (root / "etc" / "motd").unlink(missing_ok=True)
        (root / "etc" / "new").write_bytes(b"written")
        (root / "etc" / "new").rename(root / "moved")
    with driver.changes(name) as (changes, _):
        if not changes:
            sys.stdout.write("nothing was written\n")
            sys.stdout.flush()


if __name__ == "__main__":
    run(*sys.argv[1:])
