"""A process that does everything with a storage driver, again and again, until it is killed."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from nacre.errors import AlreadyExists, Conflict, NotFound
from nacre.storage.chain import Chain
from nacre.storage.erofs.driver import ErofsDriver
from nacre.testing.members import file, folder
from tests.integration.storage_trees import Stock


def run(root: str, at: str, seed: str) -> None:
    """Work until killed; tells of what is not as it should be."""
    dice, number = random.Random(seed), 0
    while True:
        number += 1
        steps = all_steps(Stock(Path(root)), Path(at), f"scratch{seed}", b"%d" % number)
        for step in dice.sample(steps, len(steps)):
            with suppress(AlreadyExists, NotFound, Conflict):
                step()


def all_steps(stock: Stock, at: Path, name: str, content: bytes) -> list[Callable[[], object]]:
    """Return everything that a driver can do, as actions without arguments."""
    driver = stock.driver
    kept = stock.chain([folder("d"), file("d/f", b"kept")])
    chain = Chain.of([*kept.layers, *stock.chain([file("n", content)]).layers])
    return [
        lambda: driver.make_ready(chain),
        lambda: look(driver, chain, content),
        lambda: driver.attach(kept, at),
        lambda: driver.detach(at),
        lambda: driver.prepare(name, kept),
        lambda: write(driver, name),
        lambda: driver.remove(name),
        lambda: driver.prune([kept]),
        driver.recover,
    ]


def look(driver: ErofsDriver, chain: Chain, content: bytes) -> None:
    """Look at a tree while it is mounted."""
    with driver.mounted(chain) as root:
        if (root / "n").read_bytes() != content or (root / "d/f").read_bytes() != b"kept":
            sys.stdout.write("wrong\n")


def write(driver: ErofsDriver, name: str) -> None:
    """Write to a scratch."""
    with driver.writable(name) as root:
        (root / "d/f").unlink(missing_ok=True)
        (root / "d/new").write_bytes(b"written")
        (root / "d/new").rename(root / "moved")


if __name__ == "__main__":
    run(*sys.argv[1:])
