"""A stream in pieces of one size, so that what takes it does few long calls instead of many short.

Most files of a layer are small, and a header is smaller still. Hashing, compressing and writing
them one by one would cost more than the work itself; in pieces of a megabyte it costs nothing, and
all three can go on in other threads meanwhile.
"""

from __future__ import annotations

import os
from typing import Protocol

PIECE = 1 << 20
"""Bytes of a piece."""


class Sink(Protocol):
    """Takes the pieces: a file, a hash that counts, a compressor."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""


class Pieces:
    """Collects what is written, and passes it on in pieces of exactly ``PIECE`` bytes.

    Only ``flush`` passes on a shorter one. Large files are read piece by piece, and not copied
    again.

    Args:
        out: where the pieces go.
    """

    def __init__(self, out: Sink) -> None:
        self._out = out
        self._parts: list[bytes] = []
        self._room = PIECE

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        while len(data) > self._room:
            part, data = data[: self._room], data[self._room :]
            self._take(part)
        self._take(data)

    def copy(self, file: int, size: int) -> int:
        """Take the next ``size`` bytes of an open file; return how many it has too few.

        Raises:
            OSError: it cannot be read, or the sink cannot take it.
        """
        while size and (part := os.read(file, min(size, self._room))):
            self._take(part)
            size -= len(part)
        return size

    def flush(self) -> None:
        """Pass on what was collected."""
        if self._room < PIECE:
            self._out.write(b"".join(self._parts))
            self._parts.clear()
            self._room = PIECE

    def _take(self, part: bytes) -> None:
        self._parts.append(part)
        self._room -= len(part)
        if not self._room:
            self.flush()
