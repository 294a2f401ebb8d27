"""Replies on their way: first all that can fail, then the bytes.

A blob is read in the event loop while its bytes are in the page cache, which costs less than any
other thread would, and in a thread while they are on the disk. Pieces become large for a client
that takes them at once, so that a fast one costs little time and a slow one little memory.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO

from nacre.errors import NotFound
from nacre.hub.api.observing import Receive, Scope, Send
from nacre.hub.api.reply import Bytes, Headers, Reply
from nacre.hub.errors import Busy
from nacre.hub.registry.threads import in_thread

_INLINE = 64 * 1024
_SMALL, _LARGE = 16 * 1024, 512 * 1024  # bytes of a piece
_AT_ONCE = 0.01  # seconds in which a fast client takes a piece
_PROOF = 16 << 20  # bytes that it takes so; the system alone holds some millions for a slow one
_BARE = frozenset({204, 304})  # a length would be that of another reply (RFC 9110 8.6)
_COMMON: Headers = (
    (b"docker-distribution-api-version", b"registry/2.0"),
    (b"x-content-type-options", b"nosniff"),
)


class Lost(Busy):
    """The bytes of a blob are not where they were put, or not all of them."""

    def __init__(self) -> None:
        super().__init__(
            "the bytes of this blob cannot be read", remedy="whoever runs the hub can find out why"
        )


async def ready(reply: Reply, scope: Scope) -> Reply:
    """Return a reply that cannot fail any more: its content is at hand, or open.

    To a HEAD, too, nothing is said of bytes that are not there: clients would not push them again.

    Raises:
        Lost: they are not, or not as many as recorded.
    """
    content = reply.content
    if content is None:
        return reply
    place, key = content.place, content.key
    path = place.path(key)
    try:
        if path is None:
            return replace(reply, content=replace(content, source=await in_thread(place.open, key)))
        if os.stat(path).st_size != content.size:  # noqa: PTH116 (quicker)
            raise Lost
        if scope["method"] == "HEAD":
            return reply
        # Less work than handing it to any thread, and no more for the disk than a query is.
        source = place.open(key)
        if content.length > _INLINE:
            return replace(reply, content=replace(content, source=source))
        with source:
            return Reply(
                reply.status,
                reply.headers,
                os.pread(source.fileno(), content.length, content.first),
            )
    except (OSError, NotFound):
        raise Lost from None


async def deliver(reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a reply that is `ready`."""
    content = reply.content
    headers = [*_COMMON, *reply.headers]
    if reply.status not in _BARE:
        length = content.length if content else len(reply.body)
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if content is not None and content.source is not None:
        with content.source:
            if scope["method"] != "HEAD":
                await _deliver_bytes(content, content.source, receive, send)
    body = b"" if scope["method"] == "HEAD" or content is not None else reply.body
    await send({"type": "http.response.body", "body": body})


async def _deliver_bytes(content: Bytes, source: BinaryIO, receive: Receive, send: Send) -> None:
    """Send all bytes, unless the client leaves before; the server itself would not tell."""
    leaving = asyncio.ensure_future(_until_left(receive))
    try:
        at, end, proof = content.first, content.first + content.length, 0
        while at < end and not leaving.done():
            size = _LARGE if proof >= _PROOF else _SMALL
            piece = await _read(content, source, at, min(end - at, size))
            if not piece:
                break  # the server sees that the length is wrong, and ends the connection
            at += len(piece)
            began = time.monotonic()
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            proof = proof + len(piece) if time.monotonic() - began < _AT_ONCE else 0
            await asyncio.sleep(0)  # a piece that is taken at once lets nobody else in between
    finally:
        leaving.cancel()


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(content: Bytes, source: BinaryIO, at: int, length: int) -> bytes:
    if content.place.path(content.key) is None:
        return await in_thread(_read_at, source, at, length)
    file = source.fileno()
    if _is_at_hand(file, at + length - 1):
        return os.pread(file, length, at)
    return await in_thread(os.pread, file, length, at)


def _read_at(source: BinaryIO, at: int, length: int) -> bytes:
    source.seek(at)
    return source.read(length)


def _is_at_hand(file: int, at: int) -> bool:
    """Return whether a byte, and so most likely those before it, can be read without the disk."""
    with suppress(OSError):
        return os.preadv(file, [bytearray(1)], at, os.RWF_NOWAIT) == 1
    return False
