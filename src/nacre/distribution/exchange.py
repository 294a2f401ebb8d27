"""Values of one HTTP exchange: addresses, requests and header fields; nothing here does I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import SplitResult, urljoin, urlsplit

from nacre.distribution.errors import UnsafeAddress
from nacre.value import NOTHING, Value

_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_LONGEST = 8192
_UNREADABLE = re.compile(r"[\x00-\x20\x7f-\xa0]")
_LABEL = r"[A-Za-z0-9_-]{1,63}"
_PLACE = re.compile(
    rf"(?:(?:{_LABEL}\.){{0,126}}{_LABEL}\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?"
)
# What the network library understands exactly as we do: no escapes, no zones, no other scripts.


class Body(Protocol):
    """Bytes of a known length that can be sent more than once, each time from the start."""

    length: int

    def __iter__(self) -> Iterator[memoryview]:
        """Go through the bytes in blocks."""


class Request(Value):
    """One request as it goes over the wire."""

    method: str
    url: str
    headers: Mapping[str, str] = NOTHING
    body: bytes | Body | None = None


class Origin(Value):
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
        UnsafeAddress: it is no http or https address, is absurdly long, holds control
            characters or carries a user name.
    """
    parts = _split(url)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return Origin(parts.scheme, parts.hostname or "", port)


def resolved(base: str, location: str) -> str:
    """Return where a ``Location`` or ``Link`` in the reply from ``base`` leads.

    Raises:
        UnsafeAddress: it leads from https to http, or `origin` refuses it.
    """
    # Before it is joined: that takes line ends out without a word.
    _check_text(location)
    try:
        url = urljoin(base, location).partition("#")[0]
    except ValueError:
        raise UnsafeAddress(f"{_host(base)} sent {location[:200]!r}, which is no address") from None
    parts = _split(url)
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


def with_query(url: str, query: str) -> str:
    """Return the address with ``query`` added to what query it has."""
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _check_text(address: str) -> None:
    if len(address) > _LONGEST:
        raise UnsafeAddress(f"an address of {len(address)} characters was sent")
    if _UNREADABLE.search(address):
        raise UnsafeAddress(f"{address[:200]!r} is an address with control characters")


def _split(url: str) -> SplitResult:
    _check_text(url)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UnsafeAddress(f"{url[:200]!r} is no address") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise UnsafeAddress(f"{url[:200]!r} is no http or https address")
    if parts.username is not None:
        raise UnsafeAddress(f"the address of {parts.hostname[:200]!r} carries a user name")
    if not _PLACE.fullmatch(parts.netloc) or parts.port == 0:
        raise UnsafeAddress(f"{url[:200]!r} has a host that is none")
    return parts


def _host(url: str) -> str:
    return urlsplit(url).netloc
