"""A database in one file: SQLite with a write-ahead log.

Reading does not wait for writing, nor writing for reading. A read of a few rows runs at once, in
the thread that asks: it takes less time than handing it to another thread. Writes go through one
thread (see ``writer``). Several processes may share the file. Every commit is flushed to the disk
before anybody is told (``synchronous=FULL``).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from asyncio import get_running_loop, to_thread
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, local
from typing import TypeVar, cast

from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from nacre.hub.errors import Busy
from nacre.hub.storage.sql.faults import meant, refused, told_plainly
from nacre.hub.storage.sql.kept import MISSING, Kept
from nacre.hub.storage.sql.migrating import migrate
from nacre.hub.storage.sql.writer import Writer, driver_of

_PATIENCE = 10.0  # seconds that a write waits for another process
_READ_PATIENCE = 0.25  # and that a read does, while the event loop stands still
_LOG_LIMIT = 64 << 20  # bytes that the write-ahead log may keep on disk when it is unused

Result = TypeVar("Result")


class _Reader:
    """A connection of one thread that reads, and what it has read."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.raw = driver_of(connection)
        self._cursor = self.raw.cursor()
        self._version: int | None = None
        self.kept = Kept()

    def version(self) -> int:
        """Return a number that is another one after any commit of anybody.

        The database is looked at once a turn of the event loop, for all who ask in it. That is
        exact: the loop runs in order what it was asked to run, so whoever asks before `_forget`
        was on its turn when the database was looked at, and can know of no commit after that.
        """
        if self._version is None:
            row = self._cursor.execute("PRAGMA data_version").fetchone()
            self._version = cast("int", row[0])
            get_running_loop().call_soon(self._forget)
        return self._version

    def _forget(self) -> None:
        self._version = None

    def read(self, look: Callable[[Connection], Result]) -> Result:
        """Run a function over one state of the database."""
        self._cursor.execute("BEGIN")
        try:
            return look(self.connection)
        finally:
            if self.raw.in_transaction:
                self._cursor.execute("COMMIT")

    def close(self) -> None:
        self._cursor.close()
        self.connection.close()


class SqliteDatabase:
    """Meets `nacre.hub.storage.sql.database.Database`.

    Opening makes the file and brings its tables up to date.

    Raises:
        Unsupported: a newer hub has written the file.
        Busy: it cannot be opened, or is no database.
        OutOfSpace: the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = local()
        self._readers: list[_Reader] = []
        self._opening = Lock()
        self._is_closed = False
        with told_plainly(path), _alone_in(path.parent):
            self._identity = _made(path)
            with self._engine(_PATIENCE).connect() as connection:
                driver_of(connection).execute("PRAGMA journal_mode=WAL")
                migrate(connection)
        self._writer = Writer(self._engine(_PATIENCE).connect)

    async def read(self, look: Callable[[Connection], Result]) -> Result:
        """See `Database.read`."""
        with told_plainly():
            return self._reader().read(look)

    async def known(
        self,
        key: Hashable,
        look: Callable[[Connection], Result],
        weigh: Callable[[Result], int] | None = None,
    ) -> Result:
        """See `Database.known`."""
        try:
            reader = self._reader()
            found = reader.kept.find(reader.version(), key)
        except (sqlite3.Error, DBAPIError) as error:
            raise meant(error) from error
        if found is not MISSING:
            return cast("Result", found)
        with told_plainly():
            result = reader.read(look)
        reader.kept.keep(key, result, weigh(result) if weigh else 0)
        return result

    async def survey(self, look: Callable[[Connection], Result]) -> Result:
        """See `Database.survey`."""
        return await to_thread(self._survey, look)

    def _survey(self, look: Callable[[Connection], Result]) -> Result:
        with told_plainly():
            return self._reader().read(look)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """See `Database.snapshot`."""
        with told_plainly(), self._engine(_PATIENCE).connect() as connection:
            raw = driver_of(connection)
            raw.execute("BEGIN")
            try:
                yield connection
            finally:
                raw.execute("COMMIT")

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """See `Database.write`."""
        result = await self._writer.write(change)
        self.check()
        return result

    def check(self) -> None:
        """See `Database.check`."""
        try:
            is_there = _identity(self._path) == self._identity
        except OSError:
            is_there = False
        if not is_there:
            # An open file lives on without its name, and what is written to it is lost.
            raise Busy(
                "the hub's records were moved away or replaced",
                remedy="whoever runs the hub has to put them back, or start it again",
            )

    async def close(self) -> None:
        """See `Database.close`."""
        await to_thread(self._close)

    def _close(self) -> None:
        self._writer.close()
        with self._opening:
            self._is_closed = True
            while self._readers:
                self._readers.pop().close()

    def _reader(self) -> _Reader:
        """Return this thread's connection for reading."""
        if self._is_closed:
            raise Busy("the hub's records are closed")
        try:
            return cast("_Reader", self._mine.reader)
        except AttributeError:
            with self._opening:
                reader = _Reader(self._engine(_READ_PATIENCE).connect())
                self._readers.append(reader)
            self._mine.reader = reader
            return reader

    def _engine(self, patience: float) -> Engine:
        """Return what makes connections that begin and commit only when told to."""
        # A file that is gone is not made again: it would be a hub without users.
        address = f"{self._path.absolute().as_uri()}?mode=rw"

        def connect() -> sqlite3.Connection:
            self.check()
            raw = sqlite3.connect(
                address, uri=True, timeout=patience, isolation_level=None, check_same_thread=False
            )
            for setting in (
                "foreign_keys=ON",
                "synchronous=FULL",
                f"journal_size_limit={_LOG_LIMIT}",
            ):
                raw.execute(f"PRAGMA {setting}")
            return raw

        return create_engine(
            "sqlite://", creator=connect, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Be the only process that opens a database of this folder.

    SQLite lets nobody wait for the change to a write-ahead log: who comes second would fail.
    """
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise refused(folder, error) from error
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _made(path: Path) -> tuple[int, int]:
    """Make the file, readable for its owner only: it holds hashes of passwords and keys."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return _identity(path)
    except OSError as error:
        raise refused(path, error) from error


def _identity(path: Path) -> tuple[int, int]:
    """Return what tells a file from any other that comes to have its name."""
    status = os.stat(path)  # noqa: PTH116 (quicker)
    return status.st_dev, status.st_ino
