"""Saying which side of a copy failed, and stopping content in mid-flow."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from nacre.errors import NacreError

SOURCE = "while reading from the source"
DESTINATION = "while writing to the destination"


@contextmanager
def blaming(side: str) -> Iterator[None]:
    """Note on errors that leave the block which side they came from.

    The error itself stays as it was, so its category and fields hold; ``side`` is among its
    ``__notes__``. One that bears a note already was blamed closer to its origin.
    """
    try:
        yield
    except NacreError as error:
        if not {SOURCE, DESTINATION} & set(getattr(error, "__notes__", ())):
            error.add_note(side)
        raise


def feed(stream: BinaryIO, check: Callable[[], None]) -> BinaryIO:
    """Return ``stream`` such that its errors are the source's and ``check`` may end it."""
    return cast("BinaryIO", _Feed(stream, check))


class _Feed(io.RawIOBase):
    def __init__(self, stream: BinaryIO, check: Callable[[], None]) -> None:
        super().__init__()
        self._stream = cast("io.RawIOBase", stream)
        self._check = check

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes | None:
        self._check()
        with blaming(SOURCE):
            return self._stream.read(size)

    def readinto(self, buffer: bytearray | memoryview, /) -> int | None:  # type: ignore[override]
        self._check()
        with blaming(SOURCE):
            return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()
