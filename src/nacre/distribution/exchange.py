"""Values of one HTTP exchange: addresses, requests and header fields; nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult, urljoin, urlsplit

from nacre.distribution.errors import UnsafeAddress

_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_DIGITS = 18
# Enough for every size there is; Python itself refuses to read numbers of thousands of digits.


class Body(Protocol):
    """Bytes of a known length that can be sent more than once, each time from the start."""

    length: int

    def __iter__(self) -> Iterator[memoryview]:
        """Go through the bytes in blocks."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes over the wire."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Body | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what credentials are bound to."""

    scheme: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """``host:port``, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def origin(url: str) -> Origin:
    """Return the origin of an absolute URL.

    Raises:
        UnsafeAddress: it is no http or https address.
    """
    parts = _split(url)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return Origin(parts.scheme, parts.hostname or "", port)


def resolved(base: str, location: str) -> str:
    """Return where a ``Location`` or ``Link`` in the reply from ``base`` leads.

    Raises:
        UnsafeAddress: it leads from https to http, is of another scheme, holds control
            characters or carries a user and password of its own.
    """
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in location):
        raise UnsafeAddress(f"{_host(base)} sent an address with control characters")
    try:
        url = urljoin(base, location).partition("#")[0]
    except ValueError:
        raise UnsafeAddress(f"{_host(base)} sent {location[:200]!r}, which is no address") from None
    parts = _split(url)
    if parts.username is not None:
        raise UnsafeAddress(f"{_host(base)} sent an address that carries a user name")
    if parts.scheme == "http" and urlsplit(base).scheme == "https":
        raise UnsafeAddress(
            f"{_host(base)} led from https to http at {parts.netloc}",
            remedy="have the registry's operator set its public https address",
        )
    return url


def redirect(status: int, location: str | None, url: str, method: str) -> str | None:
    """Return where a reply redirects its request to, or None when it does not.

    Raises:
        UnsafeAddress: `resolved` refuses it, or the redirect would turn a write into a read.
    """
    if status not in _REDIRECTS or not location:
        return None
    if method not in ("GET", "HEAD") and status not in _KEEPS_METHOD:
        raise UnsafeAddress(f"{_host(url)} redirected a {method} with status {status}")
    return resolved(url, location)


def number(text: str) -> int | None:
    """Return the number that a header field states, or None when it is none below 10**18."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if is_number else None


def with_query(url: str, query: str) -> str:
    """Return the address with ``query`` added to what query it has."""
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UnsafeAddress(f"{url[:200]!r} is no address") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise UnsafeAddress(f"{url[:200]!r} is no http or https address")
    return parts


def _host(url: str) -> str:
    return urlsplit(url).netloc
