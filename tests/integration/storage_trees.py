"""What the tests of storage drivers share: layers on disk, and trees to compare."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nacre.content.filesystem import FilesystemBlobs
from nacre.images.layers import ImageLayers
from nacre.images.rawtars import BlobTars
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.erofs.driver import ErofsDriver
from nacre.storage.mounts import SharedMounts
from nacre.storage.tocs import Tocs
from nacre.testing.members import Member, table, tar_of


class Stock:
    """A store of layers in a folder, and the driver ``erofs`` over it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = FilesystemBlobs(root)
        self.layers = ImageLayers(self.blobs, Tocs(root / "tocs"), lambda _layer: ())
        self.shared = SharedMounts(root / "run")
        self.driver = ErofsDriver(root / "storage", self.layers, BlobTars(self.blobs), self.shared)

    def add(self, tar: bytes) -> Digest:
        """Take in a layer."""
        toc = table(tar)
        with self.driver.sink() as sink:
            sink.write(tar)
            sink.commit(toc)
        return toc.layer

    def chain(self, *layers: Iterable[Member]) -> Chain:
        """Take in layers of these members, base first."""
        return Chain.of(self.add(tar_of(members)) for members in layers)

    def files(self) -> set[str]:
        """Return what the driver and its mounts have on disk, but for the gate."""
        folders = [self.root / "storage", self.root / "run"]
        found = {
            path.relative_to(self.root).as_posix() for top in folders for path in top.rglob("*")
        }
        return {path for path in found if not path.endswith("/gate")}


def names(root: Path) -> list[str]:
    """Return all paths below a folder."""
    return sorted(
        os.path.relpath(os.path.join(top, name), root)
        for top, folders, files in os.walk(root)
        for name in (*folders, *files)
    )
