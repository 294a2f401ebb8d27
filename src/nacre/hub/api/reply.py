"""Replies, and how they are sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import BinaryIO

from nacre.hub.api.observing import Scope, Send
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.threads import in_thread

Headers = tuple[tuple[bytes, bytes], ...]

_PIECE = 256 * 1024
_INLINE = 64 * 1024
_COMMON: Headers = (
    (b"docker-distribution-api-version", b"registry/2.0"),
    (b"x-content-type-options", b"nosniff"),
)
_JSON = ((b"content-type", b"application/json"),)


@dataclass(frozen=True, slots=True)
class Bytes:
    """Part of a blob: ``length`` bytes from ``first`` of the ``size`` that lie under ``key``.

    ``source`` is where they are read from, once that is open; None leaves it to the server.
    """

    place: BytePlace
    key: str
    size: int
    first: int
    length: int
    source: BinaryIO | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: ``body``, or ``content`` in its place. To a HEAD it is sent without either."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    content: Bytes | None = None


def header(name: str, value: str) -> tuple[bytes, bytes]:
    """Return a header as ASGI sends it."""
    return name.lower().encode("ascii"), value.encode("latin-1", "replace")


def in_json(status: int, value: object, headers: Headers = ()) -> Reply:
    """Return a reply in JSON."""
    return Reply(status, _JSON + headers, json.dumps(value, separators=(",", ":")).encode())


async def ready(reply: Reply, scope: Scope) -> Reply:
    """Return a reply that cannot fail any more: its content is at hand, open, or the server's.

    Raises:
        NotFound: the bytes are gone.
    """
    content = reply.content
    if content is None or scope["method"] == "HEAD":
        return reply
    place, key = content.place, content.key
    path = place.path(key)
    if path is not None and content.length <= _INLINE:
        # Less work than handing it to any thread, and no more for the disk than a query is.
        with place.open(key) as file:
            file.seek(content.first)
            return replace(reply, body=file.read(content.length), content=None)
    is_whole = content.length == content.size
    if path is not None and is_whole and "http.response.pathsend" in scope.get("extensions", ()):
        return reply
    return replace(reply, content=replace(content, source=await in_thread(place.open, key)))


async def deliver(reply: Reply, scope: Scope, send: Send) -> None:
    """Send a reply that is `ready`."""
    content = reply.content
    headers = [*_COMMON, *reply.headers]
    if reply.status != 204:
        length = content.length if content else len(reply.body)
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b""})
    elif content is None:
        await send({"type": "http.response.body", "body": reply.body})
    elif content.source is None:
        path = str(content.place.path(content.key))
        await send({"type": "http.response.pathsend", "path": path})
    else:
        await _stream(content.source, content, send)


async def _stream(source: BinaryIO, content: Bytes, send: Send) -> None:
    try:
        await in_thread(source.seek, content.first)
        left = content.length
        while left:
            piece = await in_thread(source.read, min(left, _PIECE))
            if not piece:
                break  # the server sees that the length is wrong, and ends the connection
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        await in_thread(source.close)
    await send({"type": "http.response.body", "body": b""})
