"""Reading a possibly compressed stream as a file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from nacre.layers.compression.decompress import MAX_PIECE, Decompressor
from nacre.layers.compression.growth import Growth
from nacre.layers.compression.kind import Compression

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def open_decompressed(
    stream: IO[bytes],
    *,
    compression: Compression | None = None,
    max_output: int | None = None,
    growth: Growth | None = None,
) -> io.BufferedReader:
    """Return a file that reads what ``stream`` decompresses to; not seekable.

    Closing it leaves ``stream`` open. The options are those of ``Decompressor``, and so are the
    errors: any read may raise CorruptStream or LayerLimit.
    """
    decompressor = Decompressor(compression, max_output=max_output, growth=growth)
    return io.BufferedReader(_Pieces(_decompressed(stream, decompressor)), MAX_PIECE)


def _decompressed(stream: IO[bytes], decompressor: Decompressor) -> Iterator[bytes]:
    while chunk := stream.read(MAX_PIECE):
        yield from decompressor.feed(chunk)
    yield decompressor.finish()


class _Pieces(io.RawIOBase):
    """A file over an iterator of pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        with memoryview(buffer) as view, view.cast("B") as target:
            while not self._piece:
                piece = next(self._pieces, None)
                if piece is None:
                    return 0
                self._piece = memoryview(piece)
            count = min(len(target), len(self._piece))
            target[:count] = self._piece[:count]
            self._piece = self._piece[count:]
            return count
