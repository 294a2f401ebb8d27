"""Carrying what changed from the outbox to the journal."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterator, Mapping

from nacre.hub.jobs.journal import Entry, Journal, Outbox

_STEP = 100
_GROWTH = 4
"""How many times longer than at its beginning a journal becomes before it begins anew."""
_SMALL = 16 << 20
"""Bytes that it may grow in any case."""


class Scribe:
    """Keeps the journal up to date.

    An entry leaves the outbox only when it is durable in the journal. Should a process die in
    between, it is written again, which says nothing new.
    """

    def __init__(self, outbox: Outbox, journal: Journal) -> None:
        self._outbox = outbox
        self._journal = journal

    async def is_wanted(self) -> bool:
        """Say whether there is anything to write."""
        if await self._outbox.waiting(1):
            return True
        return await to_thread(self._journal.extent) is None

    async def write(self) -> Mapping[str, object]:
        """Write all that waits; a journal that is missing or grew long begins anew."""
        if await to_thread(self._is_to_begin):
            last = _Last(self._outbox.everything())
            await to_thread(self._journal.begin_anew, last)
            await self._outbox.carried(last.number)
        while entries := await self._outbox.waiting(_STEP):
            await to_thread(self._journal.append, entries)
            await self._outbox.carried(entries[-1].number)
        return {}

    def _is_to_begin(self) -> bool:
        extent = self._journal.extent()
        return extent is None or extent.whole > _GROWTH * extent.begun + _SMALL


class _Last:
    """Entries that are passed on, and the number of the last."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries
        self.number = 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            self.number = entry.number
            yield entry
