"""Results of reads that are kept until anything changes."""

from __future__ import annotations

from collections.abc import Hashable

_MOST = 8192
_HEAVIEST = 16 << 20

MISSING = object()
"""Stands for a result that is not kept: None may be one."""


class Kept:
    """Results by key, all of one version of the database; another version forgets them all.

    At most 8,192 results and 16 MiB of what was weighed are kept. Not safe for threads.
    """

    def __init__(self) -> None:
        self._version = -1
        self._results: dict[Hashable, object] = {}
        self._weight = 0

    def find(self, version: int, key: Hashable) -> object:
        """Return the result under ``key``, or `MISSING`."""
        if version != self._version:
            self._forget()
            self._version = version
        return self._results.get(key, MISSING)

    def keep(self, key: Hashable, result: object, weight: int) -> None:
        """Keep a result of the version that was last asked for, or of a later one."""
        if len(self._results) >= _MOST or self._weight + weight > _HEAVIEST:
            self._forget()
        if weight <= _HEAVIEST:
            self._results[key] = result
            self._weight += weight

    def _forget(self) -> None:
        self._results.clear()
        self._weight = 0
