"""Asking about many things, a portion of them in each statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_AT_ONCE = 500


def portions(asked: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield them all in order, as many at a time as one statement may name.

    >>> [len(portion) for portion in portions(range(1100))]
    [500, 500, 100]
    """
    for start in range(0, len(asked), _AT_ONCE):
        yield asked[start : start + _AT_ONCE]
