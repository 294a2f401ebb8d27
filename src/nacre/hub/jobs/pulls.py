"""When tags were last pulled: gathered in the process and written down together.

A pull is answered without a write. What was gathered is lost with its process, which makes a tag
look older by at most one interval; retention counts in days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from nacre.hub.registry.manifests import Manifests

_LIMIT = 100_000


class Pulls:
    """The last pull of each tag since the last `write`."""

    def __init__(self, manifests: Manifests, *, now: Callable[[], datetime]) -> None:
        self._manifests = manifests
        self._now = now
        self._seen: dict[tuple[int, str], datetime] = {}

    def note(self, repository: int, tag: str) -> None:
        """Note that a tag was pulled now."""
        if len(self._seen) < _LIMIT:
            self._seen[repository, tag] = self._now()

    async def write(self) -> Mapping[str, object]:
        """Write down what was noted."""
        seen, self._seen = self._seen, {}
        if seen:
            pulls = [(repository, tag, at) for (repository, tag), at in seen.items()]
            await self._manifests.pulled(pulls)
        return {}
