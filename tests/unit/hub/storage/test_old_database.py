"""A database of a hub that kept no journal yet."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from nacre.hub.jobs.journalling import Scribe
from nacre.hub.jobs.replaying import remember
from nacre.hub.repositories.repository import Visibility
from nacre.hub.storage.journal import FolderJournal
from nacre.hub.storage.sql import open_records
from nacre.testing.hub_bytes import MemoryPlace
from tests.unit.hub.jobs.stocked import Pusher
from tests.unit.hub.test_rebuilding import now


def make_old(path: Path) -> None:
    """Take away what version 0002 brought."""
    with closing(sqlite3.connect(path)) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DROP TABLE outbox")
        database.execute("UPDATE alembic_version SET version_num = '0001'")
        database.commit()


def test_its_journal_begins_with_all_that_is_there(tmp_path: Path) -> None:
    path, journal = tmp_path / "hub.db", FolderJournal(tmp_path / "journal")

    async def fill() -> None:
        async with open_records(path) as records:
            pusher = Pusher(records, MemoryPlace(), now)
            await pusher.image(await pusher.repository("team/old"), b"layer", tags=("v1",))

    async def go_on() -> None:
        async with open_records(path) as records:
            assert await records.outbox.waiting(1) == []
            scribe = Scribe(records.outbox, journal)
            assert await scribe.is_wanted()
            await scribe.write()
            await records.repositories.ensure("team/new", Visibility.PRIVATE)
            await scribe.write()

    asyncio.run(fill())
    make_old(path)
    asyncio.run(go_on())
    memory = remember(journal)
    assert set(memory.repositories) == {"team/old", "team/new"}
    assert set(memory.repositories["team/old"].tags) == {"v1"}
    assert len(memory.blobs) == 2
