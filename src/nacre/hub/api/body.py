"""Reading what clients send: gathered into buffers, bounded, and not waited for for ever."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from nacre.hub.api.request import Request
from nacre.hub.errors import TooLarge
from nacre.hub.registry.byteplace import Buffer
from nacre.hub.registry.chunk import Interrupted, TooSlow

LEAST, MOST = 64 * 1024, 512 * 1024
"""Bytes in a buffer: one is filled while another is written, each write has its price."""
TOGETHER = 8 << 20
"""Bytes that all uploads of a process gather, as long as each may have its least."""

_PATIENT_BEYOND = 4
# How often over its limit a small body is still read, so that a client sees why it is refused.

_MOST_PASSED_OVER = 16 << 20

LEAST_RATE = 1024
"""Bytes a second that a body brings on the average, or its sender holds a place for too long."""
HEAD_START = 5
"""How often the patience may pass before that counts: slow starts and pauses are ordinary."""


class Portions:
    """How large the buffers of uploads are: the fewer uploads, the larger."""

    def __init__(self) -> None:
        self._uploads = 0

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """Count an upload."""
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    @property
    def size(self) -> int:
        """How many bytes are worth a write now."""
        return max(LEAST, min(MOST, TOGETHER // (2 * max(self._uploads, 1))))


async def buffers(
    request: Request, portions: Portions, *, patience: timedelta
) -> AsyncIterator[Buffer]:
    """Yield the body in buffers of about the size of a portion; each is given away for good.

    Raises:
        TooSlow: nothing came for ``patience``, or too little for much longer.
        Interrupted: the connection broke before the end.
    """
    gathered = bytearray()
    try:
        with portions.one_more():
            async for part in _parts(request, patience):
                gathered += part
                if len(gathered) >= portions.size:
                    full, gathered = gathered, bytearray()
                    yield full
    except Interrupted:
        if gathered:
            yield gathered
        raise
    if gathered:
        yield gathered


async def whole(request: Request, *, limit: int, patience: timedelta) -> bytes:
    """Return the body of at most ``limit`` bytes.

    Raises:
        TooLarge: there are more.
        TooSlow, Interrupted: as `buffers`.
    """
    stated = request.length or 0
    received, kept = 0, bytearray()
    if stated <= limit * _PATIENT_BEYOND:
        async for part in _parts(request, patience):
            received += len(part)
            if received > limit * _PATIENT_BEYOND:
                break
            if received <= limit:
                kept += part
    if max(stated, received) > limit:
        raise TooLarge(f"manifests here are at most {limit} bytes")
    return bytes(kept)


async def pass_over(request: Request, *, patience: timedelta) -> None:
    """Read the body of a request that is refused without a look at it, unless it is large.

    Many clients look for a reply only when they have sent everything, as the Go programs do whose
    first try has no token yet: a connection that ended before would be all that they see.
    """
    is_chunked = request.header(b"transfer-encoding") is not None
    asks_first = request.header(b"expect") is not None
    if request.was_read or asks_first or not (is_chunked or request.length):
        return
    left = _MOST_PASSED_OVER - (request.length or 0)
    if left < 0:
        return
    with contextlib.suppress(TimeoutError, TooSlow, Interrupted):
        async with asyncio.timeout(patience.total_seconds()):
            async for part in _parts(request, patience):
                left -= len(part) if is_chunked else 0
                if left < 0:
                    return


async def _parts(request: Request, patience: timedelta) -> AsyncIterator[bytes]:
    request.was_read = True
    seconds = patience.total_seconds()
    began, received = time.monotonic(), 0
    while True:
        left = began + HEAD_START * seconds + received / LEAST_RATE - time.monotonic()
        try:
            async with asyncio.timeout(min(seconds, left)):
                message = await request.receive()
        except TimeoutError:
            if left < seconds:
                raise TooSlow(f"less than {LEAST_RATE} bytes a second were sent") from None
            raise TooSlow(f"nothing was sent for {seconds:g} seconds") from None
        if message["type"] == "http.disconnect":
            raise Interrupted("the connection ended before the body did")
        part = message.get("body", b"")
        received += len(part)
        yield part
        if not message.get("more_body", False):
            return
