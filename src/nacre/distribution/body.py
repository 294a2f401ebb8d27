"""The body of an upload: a part of some content, read in large blocks as it is sent."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, Self

from nacre.errors import Invalid

_BLOCK = 256 * 1024
"""Large enough to be fast, small enough to be sent within a time limit on a slow line."""


class ContentEnded(Invalid):
    """The content to be sent is shorter than its descriptor says."""


class ContentBody:
    """``length`` bytes of content from ``offset`` on; see `exchange.Body`.

    ``failure`` is what the content itself raised, if it did: sending then failed for a reason
    that has nothing to do with the network. Leaving the context closes the content.
    """

    def __init__(
        self,
        content: Callable[[int], BinaryIO],
        offset: int,
        length: int,
        on_bytes: Callable[[int], None],
    ) -> None:
        self.length = length
        self.failure: Exception | None = None
        self._content = content
        self._offset = offset
        self._on_bytes = on_bytes
        self._open: list[BinaryIO] = []

    def __iter__(self) -> Iterator[memoryview]:
        """Go through the bytes, telling ``on_bytes`` the offset reached after each block."""
        try:
            stream = self._content(self._offset)
            self._open.append(stream)
            yield from self._blocks(stream)
        except Exception as error:
            self.failure = error
            raise

    def _blocks(self, stream: BinaryIO) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(min(_BLOCK, max(self.length, 1))))
        sent = 0
        while sent < self.length:
            count = _fill(stream, buffer[: self.length - sent])
            if not count:
                raise ContentEnded(
                    f"the content ended after {self._offset + sent} bytes, "
                    f"{self.length - sent} too early"
                )
            yield buffer[:count]
            sent += count
            self._on_bytes(self._offset + sent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._open:
            stream.close()


def _fill(stream: BinaryIO, buffer: memoryview) -> int:
    if isinstance(stream, io.RawIOBase | io.BufferedIOBase):
        return stream.readinto(buffer) or 0
    data = stream.read(len(buffer))
    buffer[: len(data)] = data
    return len(data)
