"""The bytes of files of an image, out of the tars of its layers."""

from __future__ import annotations

import io
import os
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from nacre.layers.entry import Extent, Kind
from nacre.layers.union.node import Node
from nacre.oci.digest import Digest
from nacre.storage.layers import Layers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed import WriteableBuffer

PIECE = 1 << 20


class Contents:
    """Opens files of one image, one at a time; to be left as a context manager.

    Those of one layer should be asked for in the order of ``in_order``: then the layer passes
    once, however many files there are, and what nobody asks for is not even read where the raw
    tar is here.

    Args:
        layers: where the layers are.
    """

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._open = ExitStack()
        self._layer: Digest | None = None
        self._tar: _Tar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def open(self, node: Node) -> BinaryIO:
        """Return the content of a regular file, holes as zeros; good until the next is opened.

        Raises:
            NotFound: its layer is not here.
        """
        return unfolded(self._tar_at(node), node)

    def stored(self, node: Node) -> BinaryIO:
        """Return only the bytes of a regular file that are in its tar; see ``open``."""
        size = node.stored_size
        return cast("BinaryIO", _Content(self._tar_at(node), size, None))

    def can_seek(self, node: Node) -> bool:
        """Say whether going back to a file costs nothing, as its layer is here as a raw tar."""
        return self._tar_at(node).can_seek

    def _tar_at(self, node: Node) -> _Tar:
        layer, offset = node.toc.layer, node.data_offset
        tar = self._tar
        if tar is None or layer != self._layer or offset < tar.position:
            self._open.close()
            size = node.toc.size - offset
            tar = _Tar(self._open.enter_context(self._layers.slice(layer, offset, size)), offset)
            self._layer, self._tar = layer, tar
        tar.skip_to(offset)
        return tar


def unfolded(stored: _Tar | BinaryIO, node: Node) -> BinaryIO:
    """Return the content of a regular file, holes as zeros, from what is stored of it."""
    return cast("BinaryIO", _Content(stored, node.size, node.sparse))


def in_order(nodes: Iterable[Node]) -> list[Node]:
    """Return nodes in the order of their layers and, in a layer, of its tar."""
    return sorted(nodes, key=lambda node: (node.layer, node.data_offset, node.row))


class _Tar:
    """Some of a layer's tar, as far as it was read."""

    def __init__(self, stream: BinaryIO, position: int) -> None:
        self._stream = stream
        self.position = position

    @property
    def can_seek(self) -> bool:
        return self._stream.seekable()

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self.position += len(data)
        return data

    def skip_to(self, position: int) -> None:
        if self._stream.seekable():
            self._stream.seek(position - self.position, os.SEEK_CUR)
            self.position = position
        while self.position < position and self.read(min(position - self.position, PIECE)):
            pass


class _Content(io.RawIOBase):
    """The content of one file."""

    def __init__(self, tar: _Tar | BinaryIO, size: int, sparse: tuple[Extent, ...] | None) -> None:
        super().__init__()
        self._tar = tar
        extents = (Extent(0, size),) if sparse is None else sparse
        # What is left to give, the last of it first: how many bytes, and whether they are stored.
        self._runs: list[tuple[int, bool]] = []
        end = size
        for extent in reversed(extents):
            self._runs.append((end - extent.offset - extent.length, False))
            self._runs.append((extent.length, True))
            end = extent.offset
        self._runs.append((end, False))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        with memoryview(buffer) as view, view.cast("B") as target:
            while target and self._runs:
                left, is_stored = self._runs.pop()
                count = min(left, len(target), PIECE)
                if not count:
                    continue
                data = self._tar.read(count) if is_stored else bytes(count)
                target[: len(data)] = data
                self._runs.append((left - len(data), is_stored))
                return len(data)
            return 0


def is_file(node: Node) -> bool:
    """Say whether a node is a regular file."""
    return node.kind is Kind.REG
