"""Carrying changes to the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from nacre.hub.errors import Busy
from nacre.hub.jobs.journal import Entry
from nacre.hub.jobs.journalling import Scribe
from nacre.hub.jobs.replaying import Memory, remember
from nacre.hub.repositories.repository import Visibility
from nacre.hub.storage.journal import FolderJournal
from nacre.testing.hub_records import MemoryRecords


def test_changes_are_carried_and_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        records, journal = MemoryRecords(), FolderJournal(tmp_path)
        scribe = Scribe(records.outbox, journal)
        assert await scribe.is_wanted(), "there is no journal yet"
        await scribe.write()
        assert not await scribe.is_wanted()
        for number in range(250):
            await records.repositories.ensure(f"team/app{number}", Visibility.PRIVATE)
        assert await scribe.is_wanted()
        await scribe.write()
        assert not await scribe.is_wanted()
        assert remembered(journal) == {f"team/app{number}" for number in range(250)}

    asyncio.run(scenario())


def test_a_missing_journal_begins_with_all_there_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        await records.repositories.ensure("team/app", Visibility.PUBLIC)
        first = FolderJournal(tmp_path / "first")
        await Scribe(records.outbox, first).write()
        assert await records.outbox.waiting(1) == []
        # Somebody has put records back from a backup, and the journal is gone.
        second = FolderJournal(tmp_path / "second")
        await Scribe(records.outbox, second).write()
        assert remembered(second) == remembered(first) == {"team/app"}
        assert len(list(second)) == 2, "nothing is told twice"

    asyncio.run(scenario())


def test_a_journal_that_grew_long_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nacre.hub.jobs.journalling._SMALL", 1000)

    async def scenario() -> None:
        records, journal = MemoryRecords(), FolderJournal(tmp_path)
        scribe = Scribe(records.outbox, journal)
        longest = 0
        for number in range(40):
            visibility = list(Visibility)[number % 2]
            await records.repositories.ensure("team/app", visibility)
            await records.repositories.change("team/app", visibility=visibility)
            await scribe.write()
            extent = journal.extent()
            assert extent is not None
            longest = max(longest, extent.whole)
            facts = remember(journal).repositories["team/app"].facts
            assert facts["visibility"] == visibility
        assert longest < 3000

    asyncio.run(scenario())


class Breaking(FolderJournal):
    """A journal whose disk is full from the second write on."""

    writes = 0

    def append(self, entries: Sequence[Entry]) -> None:
        self.writes += 1
        if self.writes > 1:
            raise Busy("the disk is full")
        super().append(entries)


def test_what_could_not_be_written_waits(tmp_path: Path) -> None:
    async def scenario() -> None:
        records, journal = MemoryRecords(), Breaking(tmp_path)
        scribe = Scribe(records.outbox, journal)
        await scribe.write()
        for number in range(250):
            await records.repositories.ensure(f"team/app{number}", Visibility.PRIVATE)
        with pytest.raises(Busy):
            await scribe.write()
        journal.writes = -100
        await scribe.write()
        assert remembered(journal) == {f"team/app{number}" for number in range(250)}

    asyncio.run(scenario())


def remembered(journal: FolderJournal) -> set[str]:
    memory: Memory = remember(journal)
    assert memory.unreadable == []
    return set(memory.repositories)
