"""Leases of jobs and signing keys in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nacre.hub.auth.keys import SigningKey
from nacre.testing.hub.state import State


class MemoryJobLeases:
    """Meets `nacre.hub.jobs.queue.Leases`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def acquire(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        held_by, held_until = self._state.leases.get(name, (holder, until))
        if held_by != holder and held_until > now:
            return False
        self._state.leases[name] = (holder, until)
        return True

    async def release(self, name: str, holder: str) -> None:
        if name in self._state.leases and self._state.leases[name][0] == holder:
            del self._state.leases[name]


class MemoryKeys:
    """Meets `nacre.hub.auth.keys.SigningKeys`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def all(self) -> Sequence[SigningKey]:
        return sorted(self._state.keys, key=lambda key: key.created_at, reverse=True)

    async def add_first(self, key: SigningKey) -> Sequence[SigningKey]:
        if not self._state.keys:
            self._state.keys.append(key)
        return await self.all()

    async def add(self, key: SigningKey) -> None:
        self._state.keys.append(key)

    async def forget(self, before: datetime) -> None:
        newest = (await self.all())[:1]
        self._state.keys = [
            key for key in self._state.keys if key.created_at >= before or key in newest
        ]
