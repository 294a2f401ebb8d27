"""Every request seen from outside: numbers and lines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import pytest

from nacre.hub.api.metrics import Metrics
from nacre.hub.api.observing import ROUTE, USER, App, Observed, Receive, Scope, Send
from tests.unit.hub.api.calling import call, http


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Mapping[str, object]]] = []

    def line(self, kind: str, fields: Mapping[str, object]) -> None:
        self.lines.append((kind, fields))


async def manifest(scope: Scope, receive: Receive, send: Send) -> None:
    scope[ROUTE], scope[USER] = "manifest", "alice"
    await receive()
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ConnectionError


def test_requests_are_counted_by_route_method_and_status() -> None:
    metrics = Metrics()
    app = Observed(manifest, metrics=metrics, access=None, audit=None)
    for _ in range(3):
        asyncio.run(call(app, http("/v2/a/manifests/b"), b"xyz"))
    asyncio.run(call(app, http("/v2/a/manifests/b", method="HACK"), b"xyz"))
    text = metrics.text().decode()
    labels = '{method="GET",route="manifest",status="200"}'
    assert f"nacre_hub_requests_total{labels} 3.0" in text
    assert f"nacre_hub_sent_bytes_total{labels} 15.0" in text
    assert f"nacre_hub_received_bytes_total{labels} 9.0" in text
    assert f"nacre_hub_request_seconds_count{labels} 3.0" in text
    assert 'le="+Inf",method="GET",route="manifest",status="200"} 3.0' in text
    assert 'method="other"' in text
    assert "HACK" not in text
    assert "nacre_hub_requests_in_flight 0.0" in text


def test_a_time_counts_in_every_bucket_from_its_own_on() -> None:
    metrics = Metrics()
    for seconds in (0.0005, 0.001, 0.02, 1000):
        metrics.answered("blob", "GET", 200, seconds=seconds, sent=0, received=0)
    text = metrics.text().decode()
    found = {
        line.partition('le="')[2].partition('"')[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("nacre_hub_request_seconds_bucket")
    }
    expected = {"0.001": 2.0, "0.01": 2.0, "0.025": 3.0, "300": 3.0, "+Inf": 4.0}
    assert {limit: found[limit] for limit in expected} == expected


def test_every_request_has_a_line_and_changes_have_two() -> None:
    access, audit = Lines(), Lines()
    app = Observed(manifest, metrics=None, access=access, audit=audit)
    asyncio.run(call(app, http("/v2/a/manifests/b")))
    asyncio.run(call(app, http("/v2/a/manifests/b", method="PUT")))
    assert [kind for kind, _ in access.lines] == ["access", "access"]
    assert {**access.lines[0][1], "ms": 0} == {
        "client": "192.0.2.1", "user": "alice", "method": "GET", "path": "/v2/a/manifests/b",
        "status": 200, "sent": 5, "ms": 0,
    }  # fmt: skip
    assert [(kind, said["method"]) for kind, said in audit.lines] == [("audit", "PUT")]


def test_a_request_that_is_never_answered_is_seen_all_the_same() -> None:
    metrics, access = Metrics(), Lines()
    app = Observed(broken, metrics=metrics, access=access, audit=None)
    with contextlib.suppress(ConnectionError):
        asyncio.run(call(app, http("/v2/")))
    assert access.lines[0][1]["status"] == 499
    assert "nacre_hub_requests_in_flight 0.0" in metrics.text().decode()


def answering(status: int, route: str, *headers: tuple[bytes, bytes]) -> App:
    """Return an application whose one route answers so."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        scope[ROUTE] = route
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return app


def audited(
    method: str, status: int, route: str, *headers: tuple[bytes, bytes], shown: str = ""
) -> list[Mapping[str, object]]:
    """Return the audit's lines of one request."""
    audit = Lines()
    app = Observed(answering(status, route, *headers), metrics=None, access=None, audit=audit)
    scope = http("/v2/", method=method, headers={"Authorization": shown} if shown else {})
    asyncio.run(call(app, scope))
    return [said for _, said in audit.lines]


@pytest.mark.parametrize(
    ("method", "status", "route"),
    [
        ("PUT", 201, "manifest"),
        ("DELETE", 202, "manifest"),
        ("DELETE", 202, "blob"),
        ("PUT", 201, "upload"),
        ("POST", 201, "upload"),
        ("DELETE", 204, "upload"),
        ("PUT", 403, "manifest"),
        ("POST", 403, "upload"),
        ("GET", 200, "token"),
        ("POST", 401, "token"),
    ],
)
def test_each_login_and_change_has_a_line_in_the_audit(
    method: str, status: int, route: str
) -> None:
    assert len(audited(method, status, route)) == 1


@pytest.mark.parametrize(
    ("method", "status", "route"),
    [
        ("POST", 202, "upload"),
        ("PATCH", 202, "upload"),
        ("GET", 204, "upload"),
        ("GET", 200, "manifest"),
        ("GET", 200, "base"),
        ("GET", 401, "base"),
        ("POST", 401, "upload"),
    ],
)
def test_what_changes_nothing_has_no_line_in_the_audit(
    method: str, status: int, route: str
) -> None:
    assert not audited(method, status, route)


@pytest.mark.parametrize("route", ["base", "manifest", "catalog"])
@pytest.mark.parametrize("shown", ["Basic eDp5", "Bearer made.up.token"])
def test_a_failed_login_anywhere_has_a_line_in_the_audit(route: str, shown: str) -> None:
    assert len(audited("GET", 401, route, shown=shown)) == 1


def test_the_audit_says_what_was_made() -> None:
    (said,) = audited("PUT", 201, "upload", (b"docker-content-digest", b"sha256:1234"))
    assert said["digest"] == "sha256:1234"
    (said,) = audited("DELETE", 204, "upload")
    assert "digest" not in said
