"""Trying again: whether and when, decided as a pure function, and the loop that obeys it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from nacre.distribution import fields
from nacre.distribution.errors import ConnectionFailed, ContentUnknown
from nacre.value import Value

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""The statuses that may go away by themselves."""

OnRetry = Callable[[str, str, float], None]
"""Told what is tried again, why, and after how many seconds."""


class Answer(Protocol):
    """The part of a reply that retrying looks at."""

    status: int

    def header(self, name: str) -> str:
        """Return a header field's value, or ""."""

    def close(self) -> None:
        """Be done with the reply."""


AnswerT = TypeVar("AnswerT", bound=Answer)
ResultT = TypeVar("ResultT")


class RetryPolicy(Value):
    """How often and how long. Times are in seconds.

    ``tries`` counts the first one; hosts that were not reached at all get ``unreached_tries``,
    registries that do not see yet what they were given before ``unseen_tries``.
    The wait doubles from ``base`` up to ``ceiling``, each time cut by a random part; a server's
    ``Retry-After`` is obeyed up to ``patience``. ``total`` bounds all waiting for one request.
    """

    tries: int = 5
    unreached_tries: int = 3
    unseen_tries: int = 4
    base: float = 0.5
    ceiling: float = 20.0
    patience: float = 120.0
    total: float = 300.0

    def after_status(
        self, status: int, retry_after: float | None, attempt: int, elapsed: float, jitter: float
    ) -> float | None:
        """Return how long to wait after reply number ``attempt`` (from 1), or None to accept it.

        ``jitter`` is a random number from 0 to 1.
        """
        if status not in TRANSIENT or attempt >= self.tries:
            return None
        delay = self._backoff(attempt, jitter) if retry_after is None else retry_after
        return self._within_bounds(delay, elapsed)

    def after_failure(
        self, failure: ConnectionFailed, attempt: int, elapsed: float, jitter: float
    ) -> float | None:
        """Return how long to wait after failure number ``attempt``, or None to give up."""
        tries = self.tries if failure.reached else self.unreached_tries
        if not failure.transient or attempt >= tries:
            return None
        return self._within_bounds(self._backoff(attempt, jitter), elapsed)

    def after_unseen(self, attempt: int, jitter: float) -> float | None:
        """Return how long to wait when content is not seen yet, or None to believe it."""
        return self._backoff(attempt, jitter) if attempt < self.unseen_tries else None

    def _backoff(self, attempt: int, jitter: float) -> float:
        whole = min(self.base * 2.0 ** (attempt - 1), self.ceiling)
        return whole * (0.5 + jitter / 2)

    def _within_bounds(self, delay: float, elapsed: float) -> float | None:
        return delay if delay <= self.patience and elapsed + delay <= self.total else None


class Clock(Value):
    """Time and chance, as the outside world provides them."""

    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    now: Callable[[], datetime]
    random: Callable[[], float]


class Retrier:
    """Repeats an attempt as the policy says."""

    def __init__(self, policy: RetryPolicy, clock: Clock, on_retry: OnRetry) -> None:
        self._policy = policy
        self._clock = clock
        self._on_retry = on_retry

    def call(self, what: str, attempt: Callable[[], AnswerT]) -> AnswerT:
        """Return the first reply worth keeping, or the last one; ``what`` names it to people.

        Raises:
            ConnectionFailed: no reply came, though tried as often as the policy allows.
        """
        started = self._clock.monotonic()
        number = 0
        while True:
            number += 1
            try:
                answer = attempt()
            except ConnectionFailed as failure:
                delay = self.delay(failure, number, started)
                if delay is None:
                    raise
                reason = str(failure)
            else:
                delay = self.delay_after(answer, number, started)
                if delay is None:
                    return answer
                reason = f"status {answer.status}"
                answer.close()
            self.wait(what, reason, delay)

    def until_seen(self, what: str, attempt: Callable[[], ResultT]) -> ResultT:
        """Return what an attempt gives once the registry sees the content that it builds on.

        Registries that keep content in several places, or write it anew for each push, may deny
        for a moment that they have what they confirmed before.

        Raises:
            ContentUnknown: it is not seen, though asked as often as the policy allows.
        """
        number = 0
        while True:
            number += 1
            try:
                return attempt()
            except ContentUnknown:
                delay = self._policy.after_unseen(number, self._clock.random())
                if delay is None:
                    raise
            self.wait(what, "the registry does not see yet what it refers to", delay)

    def delay(self, failure: ConnectionFailed, attempt: int, started: float) -> float | None:
        """Return how long to wait after a failure, or None to give up; see `RetryPolicy`."""
        elapsed = self._clock.monotonic() - started
        return self._policy.after_failure(failure, attempt, elapsed, self._clock.random())

    def wait(self, what: str, reason: str, delay: float) -> None:
        """Tell that something is tried again, and sleep until then."""
        self._on_retry(what, reason, delay)
        self._clock.sleep(delay)

    def monotonic(self) -> float:
        """Return the time by the retrier's own clock, in seconds."""
        return self._clock.monotonic()

    def delay_after(self, answer: Answer, attempt: int, started: float) -> float | None:
        """Return how long to wait after a reply, or None to accept it; see `RetryPolicy`."""
        return self._policy.after_status(
            answer.status,
            fields.retry_after(answer.header("Retry-After"), self._clock.now()),
            attempt,
            self._clock.monotonic() - started,
            self._clock.random(),
        )
