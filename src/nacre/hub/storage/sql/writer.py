"""Writing to SQLite: one thread of the process, and one commit for all who wait.

A commit costs a flush of the disk, which takes longer than everything else. So while one commit
is under way, writes queue up; they are then run one after another in one transaction, each under
a savepoint, and committed together. A write that fails undoes only its own; nobody hears of
success before the commit.
"""

from __future__ import annotations

import sqlite3
from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from nacre.hub.errors import Busy
from nacre.hub.storage.sql.faults import meant

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MOST = 128
"""How many writes are committed together at most, so that the first need not wait for long."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A write, and where its result is waited for."""

    change: Callable[[Connection], Any]
    future: Future[Any]
    loop: AbstractEventLoop


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a write."""

    result: Any = None
    error: Exception | None = None


class Writer:
    """The thread that writes.

    Args:
        connect: opens the connection to write with; called in the thread.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._closing = Lock()
        self._is_closed = False
        self._thread = Thread(target=self._work, name="nacre-hub-writer", daemon=True)
        self._thread.start()

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Run a change in a transaction; return when it has been committed.

        Raises:
            Busy: the database cannot be changed now, or the writer is closed.
            OutOfSpace: the disk is full.
        """
        loop = get_running_loop()
        future: Future[Result] = loop.create_future()
        with self._closing:
            if self._is_closed:
                raise Busy("the hub's records are closed")
            self._asked.put(_Asked(change, future, loop))
        return await future

    def close(self) -> None:
        """Finish what was asked for and end the thread; blocks."""
        with self._closing:
            if not self._is_closed:
                self._is_closed = True
                self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        connection: Connection | None = None
        goes_on = True
        try:
            while goes_on:
                batch, goes_on = self._next()
                try:
                    connection = connection or self._connect()
                except Exception as error:  # noqa: BLE001 - whoever asked is told
                    outcomes = [_Outcome(error=meant(error))] * len(batch)
                else:
                    outcomes = _committed(connection, batch)
                _answer(batch, outcomes)
        finally:
            if connection is not None:
                connection.close()

    def _next(self) -> tuple[list[_Asked], bool]:
        """Wait for writes; return those that are there, and whether there may be more."""
        batch: list[_Asked] = []
        asked = self._asked.get()
        while asked is not None:
            batch.append(asked)
            if len(batch) == _MOST:
                return batch, True
            try:
                asked = self._asked.get_nowait()
            except Empty:
                return batch, True
        return batch, False


def _committed(connection: Connection, batch: list[_Asked]) -> list[_Outcome]:
    """Run writes in one transaction and return what became of each, after the commit."""
    if not batch:
        return []
    raw = driver_of(connection)
    try:
        raw.execute("BEGIN IMMEDIATE")
        outcomes = [_attempted(connection, raw, asked.change) for asked in batch]
        raw.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - whoever asked is told
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        return [_Outcome(error=meant(error))] * len(batch)
    return outcomes


def _attempted(
    connection: Connection, raw: sqlite3.Connection, change: Callable[[Connection], Any]
) -> _Outcome:
    """Run one write under a savepoint.

    Raises:
        Exception: SQLite has given up the whole transaction.
    """
    raw.execute("SAVEPOINT one")
    try:
        result = change(connection)
    except Exception as error:
        if not raw.in_transaction:
            raise
        raw.execute("ROLLBACK TO one")
        raw.execute("RELEASE one")
        return _Outcome(error=meant(error))
    raw.execute("RELEASE one")
    return _Outcome(result)


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return SQLite's own connection below SQLAlchemy's."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("not a connection to SQLite")
    return raw


def _answer(batch: list[_Asked], outcomes: list[_Outcome]) -> None:
    """Hand out results, waking each event loop once."""
    by_loop: dict[AbstractEventLoop, list[tuple[Future[Any], _Outcome]]] = {}
    for asked, outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(asked.loop, []).append((asked.future, outcome))
    for loop, answers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, answers)
        except RuntimeError:  # the loop was closed: nobody waits there any more
            continue


def _settle(answers: list[tuple[Future[Any], _Outcome]]) -> None:
    for future, outcome in answers:
        if future.done():  # cancelled meanwhile
            continue
        if outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.result)
