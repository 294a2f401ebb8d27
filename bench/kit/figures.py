"""Medians, and ratios of medians with how far they can be trusted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_RESAMPLES = 2000
_SEED = 20


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of medians, and the interval that holds 95 % of it when rounds are drawn again."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} - {self.high:.2f})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Return median of ``ours`` over median of ``theirs``, both measured in the same rounds.

    The interval is a bootstrap over rounds, so that what slowed a whole round down slows both.
    """
    rounds = list(zip(ours, theirs, strict=True))
    draw = random.Random(_SEED)
    drawn = sorted(_ratio(draw.choices(rounds, k=len(rounds))) for _ in range(_RESAMPLES))
    low, high = drawn[int(_RESAMPLES * 0.025)], drawn[int(_RESAMPLES * 0.975)]
    return Ratio(_ratio(rounds), low, high)


def _ratio(rounds: Sequence[tuple[float, float]]) -> float:
    return median(ours for ours, _ in rounds) / median(theirs for _, theirs in rounds)
