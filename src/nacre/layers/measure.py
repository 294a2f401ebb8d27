"""Measuring a layer as it passes by: what it is called and how long it is once decompressed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

from nacre.layers.compression import Compression, Decompressor, Growth

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Measured(NamedTuple):
    """What a layer is once decompressed."""

    diff_id: str
    """SHA-256 of the tar in 64 hexadecimal digits; what config's ``rootfs.diff_ids`` names."""
    size: int
    """Length of the tar in bytes."""


class TarTaker(Protocol):
    """Is fed a layer's tar, all of its bytes in order, those behind its end marker too."""

    def write(self, piece: bytes, /) -> None:
        """Take the next bytes."""

    def finish(self) -> Measured:
        """Say that the whole tar was fed; return what it is."""


class TarMeter:
    """Measures a tar and does nothing else."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(usedforsecurity=False)
        self._size = 0

    def write(self, piece: bytes, /) -> None:
        """Take the next bytes."""
        self._hash.update(piece)
        self._size += len(piece)

    def finish(self) -> Measured:
        """Return what the bytes so far are."""
        return Measured(self._hash.hexdigest(), self._size)


class LayerMeter:
    """Is fed a layer's blob, compressed or not, and tells its diff ID and uncompressed size.

    The options but the first are those of ``Decompressor``.

    Args:
        tar: what the decompressed bytes go to, and what tells in the end what they are.
    """

    def __init__(
        self,
        tar: TarTaker | None = None,
        *,
        compression: Compression | None = None,
        max_output: int | None = None,
        growth: Growth | None = None,
    ) -> None:
        self._decompressor = Decompressor(compression, max_output=max_output, growth=growth)
        self._tar = tar or TarMeter()

    def feed(self, chunk: Buffer) -> None:
        """Take the next bytes of the blob.

        Raises:
            CorruptStream: they are damaged.
            LayerLimit: they decompress to more than was agreed to.
        """
        for piece in self._decompressor.feed(chunk):
            self._tar.write(piece)

    def finish(self) -> Measured:
        """Say that the whole blob was fed; return what was measured.

        Raises:
            CorruptStream: the blob ends too early.
        """
        if rest := self._decompressor.finish():
            self._tar.write(rest)
        return self._tar.finish()
