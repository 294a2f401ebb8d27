"""Layers that are kept in memory: the twin of what stands on a store."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nacre.errors import NotFound
from nacre.layers.toc import Toc
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.testing.members import Member, table, tar_of


class MemoryLayers:
    """``Layers`` of tars in memory.

    Args:
        folder: where to write them when a file is wanted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tars: dict[Digest, bytes] = {}
        self._tocs: dict[Digest, Toc] = {}

    def add(self, *members: Member) -> Digest:
        """Take in a layer of these members; return its diff ID."""
        return self.add_tar(tar_of(members))

    def add_tar(self, tar: bytes) -> Digest:
        """Take in a layer; return its diff ID."""
        layer = Digest.of(tar)
        self._tars[layer] = tar
        self._tocs[layer] = table(tar)
        return layer

    def chain(self, *layers: Iterable[Member]) -> Chain:
        """Take in layers, base first; return the chain of them."""
        return Chain.of(self.add(*members) for members in layers)

    def drop(self, layer: Digest) -> None:
        """Forget a layer."""
        del self._tars[layer], self._tocs[layer]

    def bytes_of(self, layer: Digest) -> bytes:
        """Return the raw tar."""
        if layer not in self._tars:
            raise NotFound(f"layer {layer} is not here")
        return self._tars[layer]

    def toc(self, layer: Digest) -> Toc:
        """Return the table of contents."""
        self.bytes_of(layer)
        return self._tocs[layer]

    @contextmanager
    def read(self, layer: Digest) -> Iterator[BinaryIO]:
        """Open the raw tar."""
        with io.BytesIO(self.bytes_of(layer)) as stream:
            yield stream

    @contextmanager
    def slice(self, layer: Digest, offset: int, size: int) -> Iterator[BinaryIO]:
        """Open a part of the raw tar."""
        with io.BytesIO(self.bytes_of(layer)[offset : offset + size]) as stream:
            yield stream

    def tar(self, layer: Digest) -> Path:
        """Return the raw tar as a file."""
        path = self._folder / f"{layer.encoded}.tar"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.bytes_of(layer))
        return path
