"""Bytes on their way from a request to a key.

While one buffer is written and hashed in a worker thread, the next one is filled by the event
loop: at most two a request, whatever the size of the blob or the speed of the disk.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from nacre.hub.registry.byteplace import Buffer, BytePlace, Writing
from nacre.hub.registry.hashing import Running
from nacre.hub.registry.threads import in_thread


class Pouring:
    """The end of a key's bytes, open for one request; ``offset`` counts what is written.

    Args:
        place: where the bytes lie.
        key: of the bytes.
        offset: where to begin; what lies beyond is cut off.
        running: the hash to go on with, or None to hash nothing.
    """

    def __init__(self, place: BytePlace, key: str, offset: int, running: Running | None) -> None:
        self._place = place
        self._key = key
        self.offset = offset
        self._running = running
        self._files = ExitStack()
        self._under_way: asyncio.Task[None] | None = None
        self._writing: Writing

    async def __aenter__(self) -> Self:
        self._writing = await in_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self._settle()
            elif self._under_way is not None:
                await asyncio.wait([self._under_way])
                self._under_way.exception()  # the first error is the one that counts
        finally:
            await in_thread(self._files.close)

    async def put(self, data: Buffer) -> None:
        """Hand over a buffer, which must not be changed afterwards; waits for the one before.

        Raises:
            OutOfSpace: there is no room; ``offset`` says how much there was.
        """
        await self._settle()
        self._under_way = asyncio.ensure_future(in_thread(self._write, data))

    async def _settle(self) -> None:
        if self._under_way is not None:
            under_way, self._under_way = self._under_way, None
            await under_way

    def _open(self) -> Writing:
        return self._files.enter_context(self._place.append(self._key, self.offset))

    def _write(self, data: Buffer) -> None:
        self._writing.write(data)
        if self._running is not None:
            self._running.update(data)
        self.offset += len(data)
