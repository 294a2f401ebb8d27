"""Compressing a stream: which format, how hard, on how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Protocol

from nacre.errors import Unsupported
from nacre.layers.compression.kind import Compression


class Level(Enum):
    """How hard to try.

    Speed and size beside ``gzip -6``, on one thread and a tar of programs and documents:

    ======= ==================== ====================
    level   gzip                 zstd
    ======= ==================== ====================
    FAST    13 times, 15 % more  13 times, 7 % more
    DEFAULT 7 times, 8 % more    8 times, 5 % less
    SMALL   0.8 times, 1 % less  1.6 times, 16 % less
    ======= ==================== ====================
    """

    FAST = "fast"
    DEFAULT = "default"
    SMALL = "small"


class Compressor(Protocol):
    """Takes a stream in pieces of any size, and gives it compressed."""

    def feed(self, chunk: bytes | bytearray | memoryview) -> bytes:
        """Take the next bytes; return what is compressed by now, which may be nothing."""

    def finish(self) -> bytes:
        """Say that the stream is complete; return the rest."""

    def close(self) -> None:
        """Free what the compressor holds, finished or not."""


@contextmanager
def compressor(
    compression: Compression, level: Level = Level.DEFAULT, *, threads: int = 1
) -> Iterator[Compressor]:
    """Give a compressor while in use.

    The output depends on the input, format and level, and on the version of the compressing
    library; not on ``threads`` (at least 1), nor on how the input is cut.

    Raises:
        Unsupported: the format is one that is only read.
    """
    made = _make(compression, level, threads)
    try:
        yield made
    finally:
        made.close()


def _make(compression: Compression, level: Level, threads: int) -> Compressor:
    match compression:
        case Compression.NONE:
            return _Unchanged()
        case Compression.GZIP:
            from nacre.layers.compression import gzip_segments, gzip_stream  # noqa: PLC0415

            segment = {
                Level.FAST: gzip_segments.fast,
                Level.DEFAULT: gzip_segments.balanced,
                Level.SMALL: gzip_segments.small,
            }[level]
            return gzip_stream.GzipStream(segment, threads=threads)
        case Compression.ZSTD:
            from nacre.layers.compression import zstd_stream  # noqa: PLC0415

            number = {Level.FAST: 1, Level.DEFAULT: 3, Level.SMALL: 9}[level]
            return zstd_stream.ZstdStream(number, threads=threads)
    raise Unsupported(
        f"{compression.value} is read but not written", remedy="choose gzip, zstd or none"
    )


class _Unchanged:
    """The compressor that does not compress."""

    def feed(self, chunk: bytes | bytearray | memoryview) -> bytes:
        return bytes(chunk)

    def finish(self) -> bytes:
        return b""

    def close(self) -> None:
        pass
