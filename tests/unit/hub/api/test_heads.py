"""Which heads of requests are taken."""

from __future__ import annotations

import asyncio

import pytest

from nacre.hub.api.heads import SoundHeads
from nacre.hub.api.observing import Receive, Scope, Send
from tests.servers.hub import Answer
from tests.unit.hub.api.calling import call, http


async def always_ok(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def answered(*headers: tuple[bytes, bytes], version: str = "1.1") -> Answer:
    scope = http()
    scope.update(headers=list(headers), http_version=version)
    return asyncio.run(call(SoundHeads(always_ok, 100), scope))


def test_heads_that_are_too_large_are_refused_in_json() -> None:
    host = (b"host", b"a")
    assert answered(host, (b"x", b"x" * 94)).status == 200
    refused = answered(host, (b"x", b"x" * 95))
    assert refused.status == 431
    assert refused.headers["connection"] == "close"
    assert refused.json["errors"][0]["code"] == "UNSUPPORTED"


@pytest.mark.parametrize(
    ("hosts", "version", "status"),
    [
        ((b"a:5000",), "1.1", 200),
        ((), "1.1", 400),
        ((b"",), "1.1", 400),
        ((b"a", b"b"), "1.1", 400),
        ((b"a", b"a"), "1.1", 400),
        ((), "1.0", 200),
        ((b"",), "1", 200),
        ((b"a",), "1", 200),
        ((b"a", b"b"), "1", 400),
    ],
)
def test_a_request_names_one_host(hosts: tuple[bytes, ...], version: str, status: int) -> None:
    answer = answered(*((b"host", host) for host in hosts), version=version)
    assert answer.status == status
    if status == 400:
        assert answer.json["errors"][0]["message"] == "the head names not one host"
