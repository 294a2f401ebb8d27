"""Measuring a layer as it passes by: what it is called and how long it is once decompressed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from nacre.layers.compression import Compression, Decompressor

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Measured(NamedTuple):
    """What a layer is once decompressed."""

    diff_id: str
    """SHA-256 of the tar in 64 hexadecimal digits; what config's ``rootfs.diff_ids`` names."""
    size: int
    """Length of the tar in bytes."""


class LayerMeter:
    """Is fed a layer's blob, compressed or not, and tells its diff ID and uncompressed size.

    All bytes count, those behind the tar's end marker too. The options are those of
    ``Decompressor``.
    """

    def __init__(
        self,
        compression: Compression | None = None,
        *,
        max_output: int | None = None,
        max_ratio: float | None = None,
    ) -> None:
        self._decompressor = Decompressor(compression, max_output=max_output, max_ratio=max_ratio)
        self._hash = hashlib.sha256(usedforsecurity=False)
        self._size = 0

    def feed(self, chunk: Buffer) -> None:
        """Take the next bytes of the blob.

        Raises:
            CorruptStream: they are damaged.
            LayerLimit: they decompress to more than was agreed to.
        """
        for piece in self._decompressor.feed(chunk):
            self._add(piece)

    def finish(self) -> Measured:
        """Say that the whole blob was fed; return what was measured.

        Raises:
            CorruptStream: the blob ends too early.
        """
        self._add(self._decompressor.finish())
        return Measured(self._hash.hexdigest(), self._size)

    def _add(self, piece: bytes) -> None:
        self._hash.update(piece)
        self._size += len(piece)
