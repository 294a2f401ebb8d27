"""Limits on requests and pulls."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.errors import Invalid
from nacre.hub.api.limits import LimitedPulls, LimitedRequests
from nacre.hub.api.observing import App, Receive, Scope, Send
from nacre.hub.api.rates import Buckets
from nacre.hub.configuration.rates import Rate
from tests.servers.hub import Answer
from tests.unit.hub.api.calling import call, http
from tests.unit.hub.doors import Clock, Doors, basic, run_with

MANIFEST = "/v2/team/app/manifests/latest"


async def always_ok(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", b"x")]})
    await send({"type": "http.response.body", "body": b"ok"})


def buckets(clock: Clock, requests: int, seconds: float = 100) -> Buckets:
    return Buckets(Rate(requests, seconds), clock.seconds)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("200/6h", Rate(200, 21600)), ("100/s", Rate(100, 1)), ("20/min", Rate(20, 60)),
     (" 5 / 2D ", Rate(5, 172800))],
)  # fmt: skip
def test_rates_are_read(text: str, rate: Rate) -> None:
    assert Rate.read(text) == rate


def test_no_rate_is_no_limit() -> None:
    assert Rate.read("") is None


@pytest.mark.parametrize(
    "text", ["0/s", "5/0s", "5", "5/", "/s", "-1/s", "5/parsec", "a/s", "5//s"]
)
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(Invalid):
        Rate.read(text)


def test_a_burst_then_a_trickle() -> None:
    clock = Clock()
    some = buckets(clock, 10)
    assert [some.take("a").remaining for _ in range(10)] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    refused = some.take("a")
    assert not refused.may_pass
    assert refused.retry_after == pytest.approx(10)
    assert some.take("b").may_pass
    clock.advance(seconds=10)
    assert some.take("a").may_pass
    assert not some.take("a").may_pass


def test_looking_takes_nothing() -> None:
    some = buckets(Clock(), 1)
    assert [some.look("a").remaining for _ in range(5)] == [1] * 5
    some.take("a")
    assert not some.look("a").may_pass


@given(st.lists(st.floats(0, 50), max_size=60))
def test_never_more_than_the_rate_and_one_burst(waits: list[float]) -> None:
    clock = Clock()
    some = buckets(clock, 5, 50)
    passed = 0
    for wait in waits:
        clock.advance(seconds=wait)
        passed += some.take("a").may_pass
    assert passed <= 5 + sum(waits) / 10 + 1e-3


def test_only_so_many_keys_are_remembered() -> None:
    some = Buckets(Rate(5, 10), Clock().seconds, most=10)
    for number in range(1000):
        some.take(str(number))
    assert len(some._levels) == 10


def test_each_address_may_ask_only_so_much() -> None:
    async def main() -> None:
        app = LimitedRequests(always_ok, buckets(Clock(), 2))
        for _ in range(2):
            assert (await call(app, http())).status == 200
        refused = await call(app, http())
        assert refused.status == 429
        assert refused.headers["retry-after"] == "50"
        assert refused.json["errors"][0]["code"] == "TOOMANYREQUESTS"
        assert (await call(app, http(client="192.0.2.2"))).status == 200

    asyncio.run(main())


def test_an_ipv6_client_cannot_take_another_address_of_its_own() -> None:
    async def main() -> None:
        app = LimitedRequests(always_ok, buckets(Clock(), 1))
        assert (await call(app, http(client="2001:db8::1"))).status == 200
        assert (await call(app, http(client="2001:db8::2"))).status == 429
        assert (await call(app, http(client="2001:db8:0:1::1"))).status == 200

    asyncio.run(main())


def limited(
    doors: Doors, *, app: App = always_ok, users: int = 3, anonymous: int = 2
) -> LimitedPulls:
    return LimitedPulls(
        app,
        doors.tokens.read,
        users=buckets(doors.clock, users, 21600),
        anonymous=buckets(doors.clock, anonymous, 21600),
    )


async def pull(
    app: LimitedPulls, authorization: str = "", method: str = "GET", client: str = "192.0.2.1"
) -> Answer:
    headers = {"Authorization": authorization} if authorization else {}
    return await call(app, http(MANIFEST, method=method, headers=headers, client=client))


def test_answers_tell_the_limit_and_what_is_left_as_docker_hub_does() -> None:
    async def main(doors: Doors) -> None:
        app = limited(doors)
        looked = await pull(app, method="HEAD")
        assert looked.headers["ratelimit-limit"] == "2;w=21600"
        assert looked.headers["ratelimit-remaining"] == "2;w=21600"
        pulled = await pull(app)
        assert pulled.headers["ratelimit-remaining"] == "1;w=21600"
        assert pulled.headers["etag"] == "x"

    run_with(main)


def test_too_many_pulls_are_refused_and_looking_is_not() -> None:
    async def main(doors: Doors) -> None:
        app = limited(doors)
        assert [(await pull(app)).status for _ in range(3)] == [200, 200, 429]
        refused = await pull(app)
        assert int(refused.headers["retry-after"]) == 10800
        assert refused.headers["ratelimit-remaining"] == "0;w=21600"
        assert (await pull(app, method="HEAD")).status == 200
        assert (await pull(app, client="192.0.2.2")).status == 200

    run_with(main)


def test_users_are_counted_by_name_wherever_they_are() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        app = limited(doors)
        shown = await doors.bearer("alice")
        statuses = [
            (await pull(app, shown, client=f"192.0.2.{number}")).status for number in range(4)
        ]
        assert statuses == [200, 200, 200, 429]
        # The address is not used up, nor is anybody else.
        assert (await pull(app, client="192.0.2.0")).status == 200

    run_with(main)


@pytest.mark.parametrize("shown", ["Bearer made.up.token", "", "Digest x"])
def test_who_shows_nothing_good_is_anonymous(shown: str) -> None:
    async def main(doors: Doors) -> None:
        app = limited(doors)
        assert [(await pull(app, shown)).status for _ in range(3)] == [200, 200, 429]

    run_with(main)


def test_a_name_that_is_only_claimed_uses_up_nobody_elses_limit() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        app = limited(doors)
        for _ in range(10):
            await pull(app, basic("alice", "made up"))
        assert (await pull(app, await doors.bearer("alice"))).status == 200

    run_with(main)


@pytest.mark.parametrize("status", [401, 404, 503])
@pytest.mark.parametrize("shown", ["", "Basic zz:zz", "Bearer made.up.token"])
def test_what_is_refused_uses_up_nothing(status: int, shown: str) -> None:
    async def main(doors: Doors) -> None:
        answers = status

        async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": answers, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        app = limited(doors, app=answer, users=2, anonymous=2)
        for _ in range(5):
            refused = await pull(app, shown)
            assert refused.status == status
            assert refused.headers["ratelimit-remaining"] == "2;w=21600"
        answers = 200
        assert [(await pull(app, shown)).status for _ in range(3)] == [200, 200, 429]

    run_with(main)


def test_what_is_given_back_fills_no_bucket_above_its_rate() -> None:
    clock = Clock()
    some = buckets(clock, 2)
    some.take("a")
    clock.advance(seconds=100)
    assert some.give_back("a").remaining == 2
    assert some.give_back("a").remaining == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", MANIFEST), ("GET", "/v2/"), ("GET", "/v2/team/app/blobs/sha256:00"),
     ("GET", "/v2/team/app/tags/list"), ("GET", "/token")],
)  # fmt: skip
def test_nothing_else_is_a_pull(method: str, path: str) -> None:
    async def main(doors: Doors) -> None:
        app = limited(doors, anonymous=1)
        for _ in range(5):
            answer = await call(app, http(path, method=method))
            assert answer.status == 200
            assert "ratelimit-limit" not in answer.headers

    run_with(main)
