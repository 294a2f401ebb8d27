"""What a hub answers besides the protocol."""

from __future__ import annotations

import asyncio

import pytest

from nacre.hub.api.metrics import Metrics
from nacre.hub.api.observing import App, Receive, Scope, Send
from nacre.hub.api.token import TokenServer
from nacre.hub.site import site
from nacre.testing.hub_bytes import MemoryPlace
from tests.servers.hub import Answer
from tests.unit.hub.api.calling import call, http
from tests.unit.hub.doors import Doors, doors


async def registry(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("this is not of the protocol")


def app_of(them: Doors) -> App:
    return site(registry, TokenServer(them.issuer), them.records, MemoryPlace(), Metrics())


def asked(method: str, path: str) -> Answer:
    with doors() as them:
        return asyncio.run(call(app_of(them), http(path, method=method)))


@pytest.mark.parametrize("path", ["/token", "/healthz", "/readyz", "/metrics"])
def test_a_method_that_is_not_allowed_is_answered_in_json(path: str) -> None:
    answer = asked("DELETE", path)
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json["errors"][0]["code"] == "UNSUPPORTED"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/nothing"), ("OPTIONS", "*"), ("GET", "/token/"), ("GET", "/readyz/")],
)
def test_where_there_is_nothing_the_answer_is_json_and_leads_nowhere(
    method: str, path: str
) -> None:
    answer = asked(method, path)
    assert answer.status == 404
    assert "location" not in answer.headers
    assert answer.json["errors"][0]["message"] == "there is nothing at this address"


def test_a_hub_that_is_well_says_so() -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert asked("GET", path).status == 200
