"""What SQLite's errors mean for whoever asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from nacre.hub.errors import Busy, OutOfSpace

_PRIMARY = 0xFF
_OF_THE_MOMENT = {
    sqlite3.SQLITE_BUSY: "are locked by another process",
    sqlite3.SQLITE_LOCKED: "are locked by another process",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk failed",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_READONLY: "cannot be written to",
    sqlite3.SQLITE_CORRUPT: "are damaged",
    sqlite3.SQLITE_NOTADB: "are damaged",
    sqlite3.SQLITE_NOMEM: "need more memory than there is",
}
_NOT_OURS = "run this as the user that owns them, and check that their folder can be written to"
_LOST = "put them back from a backup, or move them away and run 'nacre hub rebuild'"
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "try again later",
    sqlite3.SQLITE_LOCKED: "try again later",
    sqlite3.SQLITE_IOERR: "check the disk",
    sqlite3.SQLITE_CANTOPEN: _NOT_OURS,
    sqlite3.SQLITE_READONLY: _NOT_OURS,
    sqlite3.SQLITE_CORRUPT: _LOST,
    sqlite3.SQLITE_NOTADB: _LOST,
}


@contextmanager
def told_plainly(path: Path | None = None) -> Iterator[None]:
    """Turn errors of the database in the block into those of the hub.

    ``path`` is given where only those who run the hub hear of them: it is named, with a remedy.

    Raises:
        OutOfSpace: the disk is full.
        Busy: the database cannot be used now.
    """
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        meaning = meant(error, path)
        if meaning is error:
            raise
        raise meaning from error


def meant(error: Exception, path: Path | None = None) -> Exception:
    """Return the hub's error for one of the database, or the error itself when it is none."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, sqlite3.Error):
        return error
    code = getattr(original, "sqlite_errorcode", 0) & _PRIMARY
    records, remedy = "the hub's records", ""
    if path is not None:
        records, remedy = f"{records} {path}", _REMEDIES.get(code, "")
    if code == sqlite3.SQLITE_FULL:
        return OutOfSpace(f"there is no space left for {records}")
    if code in _OF_THE_MOMENT:
        return Busy(f"{records} {_OF_THE_MOMENT[code]}", remedy=remedy)
    return error


def refused(path: Path, error: OSError) -> Busy:
    """Return the error for records, or a folder of them, that the operating system keeps back."""
    return Busy(f"cannot open the hub's records {path}: {error.strerror}", remedy=_NOT_OURS)
