"""Replies, as routes make them; `nacre.hub.api.sending` sends them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import BinaryIO

from nacre.hub.registry.byteplace import BytePlace

Headers = tuple[tuple[bytes, bytes], ...]

_JSON = ((b"content-type", b"application/json"),)


@dataclass(frozen=True, slots=True)
class Bytes:
    """Part of a blob: ``length`` bytes from ``first`` of the ``size`` that lie under ``key``.

    ``source`` is where they are read from, once that is open.
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
