"""All records of a hub, in one SQL database."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select

from nacre.hub.repositories.repository import Visibility
from nacre.hub.storage.sql.blobs import SqlBlobs
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.garbage import SqlGarbage
from nacre.hub.storage.sql.inventory import SqlInventory
from nacre.hub.storage.sql.keeping import Keeping
from nacre.hub.storage.sql.keys import SqlKeys, SqlLeases
from nacre.hub.storage.sql.manifests import SqlManifests
from nacre.hub.storage.sql.outbox import SqlOutbox
from nacre.hub.storage.sql.repositories import SqlRepositories
from nacre.hub.storage.sql.schema import signing_keys
from nacre.hub.storage.sql.sqlite import SqliteDatabase
from nacre.hub.storage.sql.uploads import SqlUploads
from nacre.hub.storage.sql.users import SqlUsers

_CHECK = select(signing_keys.c.id).limit(1)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SqlRecords:
    """Meets `nacre.hub.records.Records`.

    Args:
        database: is closed by ``close``.
        now: the clock, of times in UTC.
        keeping: how long what may be garbage is kept.
        quota: how many bytes a new namespace may hold; 0 is no limit.
        visibility: of a new namespace, where nothing else is said.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime] = _utc_now,
        keeping: Keeping | None = None,
        quota: int = 0,
        visibility: Visibility = Visibility.PRIVATE,
    ) -> None:
        keeping = keeping or Keeping()
        self._database = database
        self.repositories = SqlRepositories(
            database, now=now, keeping=keeping, quota=quota, visibility=visibility
        )
        self.users = SqlUsers(database, now=now, quota=quota, visibility=visibility)
        self.blobs = SqlBlobs(database, now=now)
        self.uploads = SqlUploads(database, now=now, keeping=keeping)
        self.manifests = SqlManifests(database, now=now, keeping=keeping)
        self.garbage = SqlGarbage(database, keeping=keeping)
        self.leases = SqlLeases(database)
        self.keys = SqlKeys(database)
        self.inventory = SqlInventory(database, now=now, keeping=keeping)
        self.outbox = SqlOutbox(database)

    async def check(self) -> None:
        """See `Records.check`."""
        self._database.check()
        await self._database.read(_look)

    async def close(self) -> None:
        """See `Records.close`."""
        await self._database.close()


def _look(connection: Connection) -> None:
    connection.execute(_CHECK).first()


@asynccontextmanager
async def open_records(
    path: Path,
    *,
    now: Callable[[], datetime] = _utc_now,
    keeping: Keeping | None = None,
    quota: int = 0,
    visibility: Visibility = Visibility.PRIVATE,
) -> AsyncIterator[SqlRecords]:
    """Open the records in a file, which is made when missing; see `SqlRecords`.

    Raises:
        Unsupported: a newer hub has written the file.
        Busy: it cannot be opened, or is no database.
        OutOfSpace: the disk is full.
    """
    database = await to_thread(SqliteDatabase, path)
    try:
        yield SqlRecords(database, now=now, keeping=keeping, quota=quota, visibility=visibility)
    finally:
        await database.close()
