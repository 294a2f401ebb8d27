"""The database of a store: opened once, shared by threads, written in whole transactions.

SQLite in WAL mode: readers never wait, one process writes at a time, and the others wait their
turn. A store that cannot be written to can still be read.
"""

from __future__ import annotations

import os
import sqlite3
import time

# The low-level module: whoever only reads is to start quickly.
from _thread import RLock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nacre.content.diskerrors import DiskFull, disk_errors
from nacre.content.durable import make_folder
from nacre.engine.state_schema import STEPS, Steps
from nacre.errors import Denied, Invalid, NacreError, NotFound, Unavailable, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FILE = "state.db"
_PATIENCE = 60.0
"""Seconds to wait for other processes, altogether."""

_ATTEMPT = 5.0
"""Seconds of that in one call, during which Ctrl-C is not heard."""

_PAUSE = 0.01
_UNREADABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


class Database:
    """The open database of the store in ``folder``, made or migrated as needed.

    Raises:
        Unsupported: a newer nacre wrote it, or it needs migrating and cannot be written to.
        Invalid: it is damaged.
        NotFound: there is none, and none can be made.
        Denied: it may not be read.
    """

    def __init__(self, folder: Path, *, steps: Steps = STEPS) -> None:
        self._folder = folder
        self._lock = RLock()
        with self._translated():
            self.is_read_only, self._connection = _open(folder)
            try:
                self._prepare(steps)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close it; nothing can be asked of it afterwards."""
        with self._lock, self._translated():
            self._connection.close()

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self._lock, self._translated():
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Enter a transaction, inside which nobody else writes; within one, take part in it.

        Raises:
            Denied: the store is read-only.
            Unavailable: another process has been writing for a minute, or the disk is full.
        """
        with self._lock, self._translated():
            nested = self._connection.in_transaction
            if nested:
                yield self._connection
                return
            if self.is_read_only:
                raise Denied(
                    f"the store in {self._folder} is read-only",
                    remedy="choose another with --root",
                )
            self._patiently("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _prepare(self, steps: Steps) -> None:
        self._connection.execute("PRAGMA foreign_keys = ON")
        version = self._version()
        if version == len(steps):
            return
        if version > len(steps):
            raise Unsupported(
                f"the store in {self._folder} has format {version}, "
                f"but this nacre knows only formats up to {len(steps)}",
                remedy="use a newer nacre",
            )
        if self.is_read_only:
            raise Unsupported(
                f"the store in {self._folder} has the old format {version} and is read-only",
                remedy="use it once where it can be written to",
            )
        self._patiently("PRAGMA journal_mode = WAL")
        self._migrate(steps)

    def _migrate(self, steps: Steps) -> None:
        with self.writing() as connection:
            # Another process may have done it while this one waited.
            for statements in steps[self._version() :]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(steps)}")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _patiently(self, statement: str) -> None:
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.execute(statement)
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            translate = _TRANSLATIONS.get(_code(error))
            if translate is None:
                raise
            raise translate(str(self._folder)) from error


def _open(folder: Path) -> tuple[bool, sqlite3.Connection]:
    path = folder / _FILE
    with disk_errors(folder):
        if not folder.exists():
            make_folder(folder, 0o700)
        if os.access(folder, os.W_OK) and (not path.exists() or os.access(path, os.W_OK)):
            _make_private(path)
            return False, _connect(path, "mode=rw")
    if not path.exists():
        raise NotFound(f"there is no store in {folder}, and none can be made there")
    return True, _open_read_only(path)


def _make_private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return


def _open_read_only(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "mode=ro")
    try:
        connection.execute("PRAGMA user_version")
    except sqlite3.OperationalError as error:
        connection.close()
        if _code(error) not in _UNREADABLE or not os.access(path, os.R_OK):
            raise
    else:
        return connection
    # On a read-only file system SQLite cannot make its index of the log: so there must be none.
    log = path.with_name(f"{_FILE}-wal")
    if log.exists() and log.stat().st_size:
        raise Unavailable(
            f"the store in {path.parent} is read-only and was not closed properly",
            remedy="use it once where it can be written to",
        )
    return _connect(path, "immutable=1")


def _connect(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}",
        uri=True,
        isolation_level=None,
        timeout=_ATTEMPT,
        check_same_thread=False,
    )


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code, or 0 for what SQLite itself did not say."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _busy(folder: str) -> NacreError:
    return Unavailable(
        f"the store in {folder} has been in use by another process for a minute",
        remedy="try again when that process has finished",
    )


def _full(folder: str) -> NacreError:
    return DiskFull(f"no space left on the file system of {folder}")


def _damaged(folder: str) -> NacreError:
    return Invalid(
        f"{_FILE} in {folder} is damaged",
        remedy="restore it from a backup, or move it away and load or pull the images again",
    )


def _forbidden(folder: str) -> NacreError:
    return Denied(f"no permission for {_FILE} in {folder}", remedy="use a store of your own")


def _failed(folder: str) -> NacreError:
    if not os.statvfs(folder).f_bavail:  # there was no room for the index of the log
        return _full(folder)
    return Unavailable(
        f"the disk failed while {_FILE} in {folder} was used", remedy="check the disk"
    )


_TRANSLATIONS: dict[int, Callable[[str], NacreError]] = {
    sqlite3.SQLITE_BUSY: _busy,
    sqlite3.SQLITE_FULL: _full,
    sqlite3.SQLITE_CORRUPT: _damaged,
    sqlite3.SQLITE_NOTADB: _damaged,
    sqlite3.SQLITE_CANTOPEN: _forbidden,
    sqlite3.SQLITE_READONLY: _forbidden,
    sqlite3.SQLITE_PERM: _forbidden,
    sqlite3.SQLITE_IOERR: _failed,
}
