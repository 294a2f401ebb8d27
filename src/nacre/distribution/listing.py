"""Lists that come in pages (distribution-spec "Content Discovery"; RFC 8288 ``Link``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from nacre.distribution.errors import InvalidReply
from nacre.distribution.exchange import origin, resolved
from nacre.distribution.session import Call, Session
from nacre.distribution.transport_reply import Reply
from nacre.value import replace

_PAGE_LIMIT = 8 * 1024 * 1024
_LIST_LIMIT = 64 * 1024 * 1024
_PAGES = 10_000
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[A-Za-z*]+\s*=\s*(?:"[^"]*"|[^\s;,"]+))*)')
_NEXT = re.compile(
    r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s;,]))', re.IGNORECASE
)


def pages(session: Session, call: Call) -> Iterator[tuple[Reply, dict[str, Any]]]:
    """Go through the pages of a list: each page's reply, and the object that is its body.

    Raises:
        InvalidReply: a page is too large or no JSON object, or the pages lead in a circle, away
            from the registry, or on and on.
    """
    host = session.endpoint.domain
    seen = {call.address}
    size = 0
    while True:
        with session.request(call) as reply:
            body = reply.read(_PAGE_LIMIT)
            size += len(body) + len(call.address)
            if size > _LIST_LIMIT:
                raise InvalidReply(f"{host} sent a list of more than {_LIST_LIMIT} bytes")
            following = next_page(reply.header("Link"))
            yield reply, _object(body, host)
        if not following:
            return
        address = resolved(reply.url, following)
        if origin(address) != origin(reply.url):
            raise InvalidReply(f"{host} continues a list at another host")
        if address in seen or len(seen) >= _PAGES:
            raise InvalidReply(f"{host} never ends its list for: {call.purpose}")
        seen.add(address)
        call = replace(call, address=address)


def names(session: Session, call: Call, key: str) -> Iterator[str]:
    """Go through the strings that all pages list under ``key``.

    Raises:
        InvalidReply: as `pages`, or a page does not hold strings under ``key``.
    """
    for _, page in pages(session, call):
        listed = page.get(key) or []
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise InvalidReply(f"{session.endpoint.domain} sent a list without {key}")
        yield from listed


def next_page(link: str) -> str:
    """Return the target of the link whose relation is ``next``, or ""."""
    for match in _LINK.finditer(link):
        if _NEXT.search(match[2]):
            return match[1]
    return ""


def _object(body: bytes, host: str) -> dict[str, Any]:
    if len(body) > _PAGE_LIMIT:
        raise InvalidReply(f"{host} sent a list with a page of more than {_PAGE_LIMIT} bytes")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidReply(f"{host} sent a list that is no JSON object")
    return value
