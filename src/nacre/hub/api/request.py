"""A request of the distribution protocol, as far as its routes look at it.

Deliberately less than a framework's: a manifest is answered some ten thousand times a second, and
everything here is done only when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl

from nacre.hub.api.observing import CLIENT, Receive, Scope
from nacre.hub.errors import NameInvalid, NotSupported, RegistryError

_HOST = re.compile(r"[A-Za-z0-9._\[\]:-]{1,255}")
_FIELDS = 1000


class PaginationInvalid(RegistryError):
    """The number of entries that is asked for is none."""

    code = "PAGINATION_NUMBER_INVALID"


class QueryInvalid(NotSupported):
    """The query cannot be read, or has too many fields: answered with 414."""


class Request:
    """One request; ``scope`` and ``receive`` are ASGI's, ``was_read``: its body was asked for."""

    __slots__ = ("_fields", "method", "path", "receive", "scope", "was_read")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.was_read = False
        self._fields: list[tuple[str, str]] | None = None

    def header(self, name: bytes) -> str | None:
        """Return the first header of a name, which is in lower case, or None."""
        for key, value in self.scope["headers"]:
            if key == name:
                return str(value, "latin-1")
        return None

    def joined(self, name: bytes) -> str:
        """Return all headers of a name as one list, "" when there is none (RFC 9110, 5.3)."""
        found = [value for key, value in self.scope["headers"] if key == name]
        return b",".join(found).decode("latin-1")

    @property
    def length(self) -> int | None:
        """The announced length of the body, in bytes, or None."""
        stated = self.header(b"content-length")
        return int(stated) if stated is not None and re.fullmatch(r"[0-9]{1,18}", stated) else None

    def values(self, name: str) -> Sequence[str]:
        """Return all values of a field of the query.

        Raises:
            QueryInvalid: the query is unreadable.
        """
        return [value for key, value in self._query() if key == name]

    def value(self, name: str) -> str | None:
        """Return the first value of a field of the query, or None.

        Raises:
            QueryInvalid: the query is unreadable.
        """
        return next(iter(self.values(name)), None)

    def number(self, name: str, *, default: int, most: int) -> int:
        """Return a field of the query as a number, never more than ``most``.

        Raises:
            PaginationInvalid: it is no number, or below zero.
        """
        text = self.value(name)
        if text is None:
            return min(default, most)
        if not text.isascii() or not text.isdigit():
            raise PaginationInvalid(f"{name} must be a number from 0", detail={name: text[:64]})
        return most if len(text.lstrip("0")) > 9 else min(int(text), most)

    @property
    def address(self) -> str:
        """Where the request comes from, as far as trusted proxies tell."""
        client = self.scope.get("client")
        return str(self.scope.get(CLIENT) or (client[0] if client else ""))

    @property
    def host(self) -> str:
        """The host that the client believes it talks to; "" when it says nothing sensible."""
        stated = self.header(b"host") or ""
        return stated if _HOST.fullmatch(stated) else ""

    @property
    def base(self) -> str:
        """The address that the client uses, without a path."""
        return f"{self.scope.get('scheme', 'http')}://{self.host or self._own}"

    @property
    def _own(self) -> str:
        """The host and port that the request came to."""
        name, port = self.scope.get("server") or ("localhost", None)
        shown = f"[{name}]" if ":" in name else name
        return f"{shown}:{port}" if port else shown

    def check_path(self) -> None:
        """Check that no part of the path hides another: an escaped slash is no name's.

        Raises:
            NameInvalid: one does.
        """
        raw: bytes = self.scope.get("raw_path") or b""
        if b"%" in raw and re.search(rb"%(2[fF]|5[cC]|00)", raw):
            raise NameInvalid("the path holds an escaped separator")

    def _query(self) -> Iterator[tuple[str, str]]:
        if self._fields is None:
            raw: bytes = self.scope.get("query_string") or b""
            try:
                self._fields = parse_qsl(
                    raw.decode("latin-1"), keep_blank_values=True, max_num_fields=_FIELDS
                )
            except ValueError:
                raise QueryInvalid("the query has too many fields") from None
        return iter(self._fields)
