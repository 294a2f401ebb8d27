"""Rates of requests are kept by token buckets: a burst of the whole limit, then a steady trickle.

The buckets are those of one process: a hub of several processes allows each of them the rate.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from nacre.hub.configuration.rates import Rate


@dataclass(frozen=True, slots=True)
class Taken:
    """How a bucket stands: whether a request may pass, how many more may, and when the next may.

    ``retry_after`` is in seconds; 0 for one that may pass.
    """

    may_pass: bool
    remaining: int
    retry_after: float


class Buckets:
    """One bucket for each key.

    Args:
        rate: how large they are and how fast they fill.
        clock: seconds that only go forward.
        most: how many are remembered; the least used are forgotten, which fills them.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float], *, most: int = 100_000) -> None:
        self.rate = rate
        self._clock = clock
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def look(self, key: str) -> Taken:
        """Say how a bucket stands, without taking from it."""
        return self._as_taken(self._level(key), passes=self._level(key) >= 1)

    def take(self, key: str) -> Taken:
        """Take one request from a bucket, if there is one in it."""
        level = self._level(key)
        passes = level >= 1
        if passes:
            level -= 1
        self._levels[key] = level, self._clock()
        self._levels.move_to_end(key)
        while len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return self._as_taken(level, passes=passes)

    def give_back(self, key: str) -> Taken:
        """Put back what `take` took for a request that came to nothing."""
        level = min(self._level(key) + 1, float(self.rate.requests))
        self._levels[key] = level, self._clock()
        return self._as_taken(level, passes=True)

    def _level(self, key: str) -> float:
        level, at = self._levels.get(key, (float(self.rate.requests), 0.0))
        filled = level + (self._clock() - at) * self.rate.requests / self.rate.seconds
        return min(filled, float(self.rate.requests))

    def _as_taken(self, level: float, *, passes: bool) -> Taken:
        wait = 0.0 if passes else (1 - level) * self.rate.seconds / self.rate.requests
        return Taken(passes, math.floor(level), wait)
