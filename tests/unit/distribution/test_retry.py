"""When something is tried again, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from nacre.distribution.errors import (
    ConnectionDropped,
    ConnectionFailed,
    ConnectionRefused,
    TlsFailed,
)
from nacre.distribution.retry import Retrier, RetryPolicy
from tests.unit.distribution.conftest import StoppedClock

POLICY = RetryPolicy()
DROPPED = ConnectionDropped("dropped")


@dataclass
class Answer:
    status: int
    fields: dict[str, str] = field(default_factory=dict)
    closed: bool = False

    def header(self, name: str) -> str:
        return self.fields.get(name, "")

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert POLICY.after_status(status, None, 1, 0, 0.5) is not None


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 405, 409, 416, 501])
def test_what_stays_is_accepted(status: int) -> None:
    assert POLICY.after_status(status, None, 1, 0, 0.5) is None


def test_the_wait_doubles_up_to_a_ceiling() -> None:
    waits = [POLICY.after_status(503, None, attempt, 0, 1.0) for attempt in (1, 2, 3, 4)]
    assert waits == [0.5, 1.0, 2.0, 4.0]
    patient = RetryPolicy(tries=100)
    assert patient.after_status(503, None, 50, 0, 1.0) == patient.ceiling


def test_chance_shortens_the_wait_by_at_most_half() -> None:
    assert POLICY.after_failure(DROPPED, 1, 0, 0.0) == 0.25
    assert POLICY.after_failure(DROPPED, 1, 0, 1.0) == 0.5


def test_tries_are_bounded() -> None:
    assert POLICY.after_failure(DROPPED, 4, 0, 0.5) is not None
    assert POLICY.after_failure(DROPPED, 5, 0, 0.5) is None
    assert POLICY.after_status(503, None, 5, 0, 0.5) is None


def test_a_host_that_is_not_reached_gets_fewer_tries() -> None:
    refused = ConnectionRefused("refused")
    assert POLICY.after_failure(refused, 2, 0, 0.5) is not None
    assert POLICY.after_failure(refused, 3, 0, 0.5) is None


def test_a_tls_failure_is_final() -> None:
    assert POLICY.after_failure(TlsFailed("untrusted"), 1, 0, 0.5) is None


def test_all_waiting_together_is_bounded() -> None:
    assert POLICY.after_failure(DROPPED, 1, POLICY.total, 0.5) is None


def test_a_server_may_say_how_long_but_not_for_ever() -> None:
    assert POLICY.after_status(429, 90.0, 1, 0, 0.5) == 90.0
    assert POLICY.after_status(429, 3600.0, 1, 0, 0.5) is None


def test_the_loop_waits_tells_and_returns_the_good_answer() -> None:
    time, told = StoppedClock(), []
    answers = [Answer(503), Answer(429, {"Retry-After": "3"}), Answer(200)]
    waiting = list(answers)
    retrier = Retrier(POLICY, time.clock, lambda *args: told.append(args))
    assert retrier.call("the thing", lambda: waiting.pop(0)) is answers[2]
    assert time.slept == [0.375, 3.0]
    assert told == [("the thing", "status 503", 0.375), ("the thing", "status 429", 3.0)]
    assert [answer.closed for answer in answers] == [True, True, False]


def test_the_loop_returns_the_last_answer_when_it_gives_up() -> None:
    made: list[Answer] = []

    def attempt() -> Answer:
        made.append(Answer(503))
        return made[-1]

    assert Retrier(POLICY, StoppedClock().clock, lambda *_: None).call("x", attempt) is made[4]
    assert len(made) == 5
    assert not made[4].closed


def test_the_loop_raises_the_last_failure() -> None:
    tried: list[int] = []

    def attempt() -> Answer:
        tried.append(1)
        raise ConnectionDropped(f"number {len(tried)}")

    with pytest.raises(ConnectionFailed, match="number 5"):
        Retrier(POLICY, StoppedClock().clock, lambda *_: None).call("x", attempt)
