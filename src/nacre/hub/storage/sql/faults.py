"""What SQLite's errors mean for whoever asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn errors of the database in the block into those of the hub.

    Raises:
        OutOfSpace: the disk is full.
        Busy: the database cannot be used now.
    """
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        meaning = meant(error)
        if meaning is error:
            raise
        raise meaning from error


def meant(error: Exception) -> Exception:
    """Return the hub's error for one of the database, or the error itself when it is none."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, sqlite3.Error):
        return error
    code = getattr(original, "sqlite_errorcode", 0) & _PRIMARY
    if code == sqlite3.SQLITE_FULL:
        return OutOfSpace("there is no space left for the hub's records")
    if code in _OF_THE_MOMENT:
        return Busy(f"the hub's records {_OF_THE_MOMENT[code]}")
    return error
