"""Where a request comes from, also when it came through proxies.

``X-Forwarded-For``, ``-Proto``, ``-Host`` and ``-Port`` can be written by anybody: only those of a
proxy that the settings name are believed, and of the addresses the last that is no such proxy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from nacre.hub.addresses import counted_as
from nacre.hub.api.observing import App, Receive, Scope, Send
from nacre.oci.reference import is_domain

_LONGEST = 4096
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_USUAL = {"http": "80", "https": "443"}


class BehindProxies:
    """An application that sees the client's address, scheme and host, not those of a proxy.

    It writes them into the ASGI scope, so it must be around everything that reads them.

    Args:
        app: what answers.
        trusted: addresses and networks of the proxies.
    """

    def __init__(self, app: App, trusted: Iterable[str]) -> None:
        self._app = app
        networks = [ip_network(each, strict=False) for each in trusted]

        @lru_cache(maxsize=4096)
        def is_trusted(address: str) -> bool:
            try:
                parsed = ip_address(address)
            except ValueError:
                return False
            mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
            return any((mapped or parsed) in network for network in networks)

        self._is_trusted = is_trusted
        self._has_any = bool(networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._has_any and scope["type"] == "http":
            client = scope.get("client")
            if client and self._is_trusted(client[0]):
                self._believe(scope)
        await self._app(scope, receive, send)

    def _believe(self, scope: Scope) -> None:
        headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        address = self._client(_values(headers, b"x-forwarded-for"))
        if address:
            scope["client"] = (address, 0)
        scheme = _last(headers, b"x-forwarded-proto").lower()
        if scheme in {"http", "https"}:
            scope["scheme"] = scheme
        host = _host(headers, scope["scheme"])
        if host:
            others = [(name, value) for name, value in headers if name != b"host"]
            scope["headers"] = [(b"host", host.encode("ascii")), *others]

    def _client(self, chain: Sequence[str]) -> str:
        """Return the last address that is no proxy of ours, or the farthest that is."""
        found = ""
        for each in reversed(chain):
            try:
                found = _address(each)
            except ValueError:
                break
            if not self._is_trusted(found):
                break
        return found


def client_of(scope: Scope) -> str:
    """Return what the client of a request counts as for limits; "" when it has no address."""
    client = scope.get("client")
    return counted_as(client[0]) if client else ""


def _host(headers: Sequence[tuple[bytes, bytes]], scheme: str) -> str:
    """Return the host that the client asked the proxy for; "" when the proxy says nothing of it."""
    host, port = _last(headers, b"x-forwarded-host"), _last(headers, b"x-forwarded-port")
    if port and not host:
        host = _last(headers, b"host")
    if not is_domain(host):
        return ""
    has_port = ":" in host.rpartition("]")[2]
    is_told = _PORT.fullmatch(port) and port != _USUAL.get(scheme)
    return f"{host}:{port}" if is_told and not has_port else host


def _address(text: str) -> str:
    """Return an address of a chain, which may have brackets and a port.

    Raises:
        ValueError: it is none.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return str(ip_address(text))


def _last(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str:
    return (_values(headers, wanted) or [""])[-1]


def _values(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    joined = b",".join(value for name, value in headers if name == wanted)[-_LONGEST:]
    return [part.strip() for part in joined.decode("latin-1").split(",") if part.strip()]
