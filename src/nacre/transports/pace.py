"""How often progress is told."""

from __future__ import annotations

import time

_INTERVAL = 0.1


class Pace:
    """Says yes at once and then at most ten times a second."""

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self) -> bool:
        """Say whether it is time to tell again."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _INTERVAL
        return True
