"""Replies, and how they are sent."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import BinaryIO

from nacre.errors import NotFound
from nacre.hub.api.observing import Scope, Send
from nacre.hub.errors import Busy
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


class Lost(Busy):
    """The bytes of a blob are not where they were put, or not all of them."""

    def __init__(self) -> None:
        super().__init__(
            "the bytes of this blob cannot be read", remedy="whoever runs the hub can find out why"
        )


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
        if path is not None and os.stat(path).st_size != content.size:  # noqa: PTH116 (quicker)
            raise Lost
        if scope["method"] == "HEAD":
            return reply
        if path is not None and content.length <= _INLINE:
            # Less work than handing it to any thread, and no more for the disk than a query is.
            with place.open(key) as file:
                file.seek(content.first)
                return Reply(reply.status, reply.headers, file.read(content.length))
        if _is_for_the_server(content, scope) and path is not None:
            return reply
        return replace(reply, content=replace(content, source=await in_thread(place.open, key)))
    except (OSError, NotFound):
        raise Lost from None


def _is_for_the_server(content: Bytes, scope: Scope) -> bool:
    """Return whether the server can send the whole file by itself."""
    is_whole = content.length == content.size
    return is_whole and "http.response.pathsend" in scope.get("extensions", ())


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
