"""What the contract suites of storage drivers work with."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nacre.layers.diff import write_layer
from nacre.layers.ownership import Ownership
from nacre.layers.rootpath import Root
from nacre.layers.union import union
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.driver import StorageDriver
from nacre.testing.memory_layers import MemoryLayers
from nacre.testing.seen import Listing, expected, found

_PIECE = 10_000
ABSENT = Digest.of(b"a layer that is nowhere")


@dataclass(frozen=True)
class Stage:
    """What the suite of a driver works with."""

    layers: MemoryLayers
    """What the drivers are given."""
    new: Callable[[], StorageDriver]
    """Returns a driver over the same store, as each process has one; it is empty at first."""
    store: Path
    """Where the drivers keep all that is theirs."""
    folder: Path
    """An empty folder, elsewhere."""
    ownership: Ownership
    """How owners in layers become owners on disk."""
    has_mounts: bool
    """Whether trees are mounted."""

    def take_in(self, driver: StorageDriver, layer: Digest) -> None:
        """Let a layer pass a sink."""
        tar = self.layers.bytes_of(layer)
        with driver.sink() as sink:
            for start in range(0, len(tar), _PIECE):
                sink.write(tar[start : start + _PIECE])
            sink.commit(self.layers.toc(layer))

    def expected(self, chain: Chain) -> Listing:
        """Return what the tree of a chain has to look like."""
        tree = union(self.layers.toc(layer) for layer in chain.layers)
        return expected(tree, self.layers, self.ownership)

    def shown(self, driver: StorageDriver, chain: Chain) -> Listing:
        """Return what the tree of a chain looks like."""
        with driver.mounted(chain) as tree:
            return found(tree, self.ownership)

    def weight(self) -> int:
        """Return how many bytes all files of the store have."""
        files = (path for path in self.store.rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files)

    def packed(self, driver: StorageDriver, name: str) -> Digest:
        """Make a layer of what was written to a writable top; return its diff ID."""
        out = io.BytesIO()
        with driver.changes(name) as (changes, folder), Root.open(folder) as root:
            write_layer(out, root, changes, ownership=self.ownership, overlay=driver.form)
        return self.layers.add_tar(out.getvalue())


@contextmanager
def attached(driver: StorageDriver, chain: Chain, folder: Path) -> Iterator[None]:
    """Attach a tree for as long as the block lasts."""
    driver.attach(chain, folder)
    try:
        yield
    finally:
        driver.detach(folder)


def scribble(tree: Path) -> None:
    """Do to a tree of ``BASE`` some of all that can be done."""
    for name, content in {"new": b"n" * 10_000, "motd": b"changed"}.items():
        (tree / "etc" / name).write_bytes(content)
        # What the kernel has not written yet may get its time later.
        os.utime(tree / "etc" / name, (1000, 1000))
    (tree / "etc" / "shadow").unlink()
    (tree / "bin").unlink()
    (tree / "home" / "u" / "notes").unlink()
    (tree / "tmp" / "d").mkdir()
    (tree / "tmp" / "d" / "f").write_bytes(b"f")


def rounded(listing: Listing) -> Listing:
    """Return a listing as a layer keeps it: times in seconds, and none of the root."""
    return {
        path: one._replace(mtime_ns=one.mtime_ns // 10**9 if path else 0)
        for path, one in listing.items()
    }
