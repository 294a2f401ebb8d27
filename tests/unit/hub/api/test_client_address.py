"""Where a request comes from, and whom that is believed from."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nacre.hub.api.client_address import BehindProxies, client_of
from nacre.hub.api.observing import Receive, Scope, Send
from tests.unit.hub.api.calling import http

PROXY, FAR_PROXY, CLIENT = "10.0.0.1", "10.0.0.2", "198.51.100.7"


def seen(
    headers: dict[str, str], *, peer: str = PROXY, trusted: tuple[str, ...] = ("10.0.0.0/8",)
) -> Any:
    """Return the scope that the application behind the proxies sees."""
    scopes: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        scopes.append(scope)

    async def nothing(*_: object) -> Any:
        return None

    scope = http(headers={"Host": "inside:5000", **headers}, client=peer)
    asyncio.run(BehindProxies(app, trusted)(scope, nothing, nothing))
    return scopes[0]


def test_the_client_behind_a_proxy() -> None:
    scope = seen(
        {
            "X-Forwarded-For": CLIENT,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "hub.example.com",
        }
    )
    assert client_of(scope) == CLIENT
    assert scope["scheme"] == "https"
    assert dict(scope["headers"])[b"host"] == b"hub.example.com"
    assert [name for name, _ in scope["headers"]].count(b"host") == 1


@pytest.mark.parametrize("trusted", [(), ("10.0.0.2",), ("192.0.2.0/24",)])
def test_cve_2026_20896_nobody_else_is_believed(trusted: tuple[str, ...]) -> None:
    headers = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil"}
    scope = seen(headers, trusted=trusted)
    assert client_of(scope) == PROXY
    assert scope["scheme"] == "http"
    assert dict(scope["headers"])[b"host"] == b"inside:5000"


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (CLIENT, CLIENT),
        (f"{CLIENT}, {FAR_PROXY}", CLIENT),
        # What a client writes itself is before what the proxies saw.
        (f"203.0.113.9, {CLIENT}", CLIENT),
        (f"{PROXY}, {CLIENT}, {FAR_PROXY}", CLIENT),
        (FAR_PROXY, FAR_PROXY),
        (f"nonsense, {FAR_PROXY}", FAR_PROXY),
        ("nonsense", PROXY),
        ("", PROXY),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("[2001:db8::1]:4711", "2001:db8::/64"),
        (f"{CLIENT}:4711", CLIENT),
        (f"{CLIENT}:4711, {FAR_PROXY}:99", CLIENT),
        ("::ffff:198.51.100.7", CLIENT),
        ("203.0.113.9, " * 10_000 + CLIENT, CLIENT),
    ],
)
def test_the_last_address_that_is_no_proxy_counts(chain: str, expected: str) -> None:
    assert client_of(seen({"X-Forwarded-For": chain})) == expected


@pytest.mark.parametrize("host", ["", "a b", 'x"y', "x/../y", "x\r\ny", "é"])
def test_a_host_that_is_none_is_not_taken(host: str) -> None:
    scope = seen({"X-Forwarded-Host": host})
    assert dict(scope["headers"])[b"host"] == b"inside:5000"


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ({"X-Forwarded-Host": "hub.test", "X-Forwarded-Port": "8443"}, "hub.test:8443"),
        ({"X-Forwarded-Host": "hub.test:1", "X-Forwarded-Port": "8443"}, "hub.test:1"),
        ({"Host": "hub.test", "X-Forwarded-Port": "8443"}, "hub.test:8443"),
        ({"X-Forwarded-Host": "[::1]", "X-Forwarded-Port": "8443"}, "[::1]:8443"),
        ({"X-Forwarded-Host": "hub.test", "X-Forwarded-Port": "80"}, "hub.test"),
        ({"X-Forwarded-Host": "hub.test", "X-Forwarded-Port": "0x50"}, "hub.test"),
        (
            {"X-Forwarded-Host": "a", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"},
            "a",
        ),
        (
            {"X-Forwarded-Host": "a", "X-Forwarded-Port": "80", "X-Forwarded-Proto": "https"},
            "a:80",
        ),
    ],
)
def test_the_port_that_a_client_asked_the_proxy_at(headers: dict[str, str], host: str) -> None:
    assert dict(seen(headers)["headers"])[b"host"].decode() == host


@pytest.mark.parametrize("scheme", ["", "javascript", "wss"])
def test_a_scheme_that_is_none_is_not_taken(scheme: str) -> None:
    assert seen({"X-Forwarded-Proto": scheme})["scheme"] == "http"


def test_a_proxy_that_comes_by_a_mapped_address() -> None:
    scope = seen({"X-Forwarded-For": CLIENT}, peer="::ffff:10.0.0.1")
    assert client_of(scope) == CLIENT


def test_a_peer_without_an_address() -> None:
    scope = http(client=None)
    assert client_of(scope) == ""
