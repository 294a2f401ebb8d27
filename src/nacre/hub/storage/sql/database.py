"""The little that the records ask of a database.

Each noun gives plain synchronous functions of a SQLAlchemy connection; how they are brought to
a database is decided here and nowhere else. On PostgreSQL each would run in an asynchronous
connection's ``run_sync``, with the row locks that SQLite's one writer makes needless: a write
that counts bytes would first lock its namespace's row.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from sqlalchemy import Connection

Result = TypeVar("Result")


class Database(Protocol):
    """A database. Each function that it is given is one transaction.

    All methods raise `nacre.hub.errors.Busy` when the database cannot be reached or changed in
    time, and `OutOfSpace` when it is full; whatever the function raises comes through, and what
    it had changed by then is undone.
    """

    async def read(self, look: Callable[[Connection], Result]) -> Result:
        """Run a function that only reads, a few rows by their key."""

    async def known(
        self,
        key: Hashable,
        look: Callable[[Connection], Result],
        weigh: Callable[[Result], int] | None = None,
    ) -> Result:
        """Return what ``read`` would; a result is kept under ``key`` until anything is changed.

        ``weigh`` tells how many bytes a result takes that are worth counting.
        """

    async def survey(self, look: Callable[[Connection], Result]) -> Result:
        """Run a function that only reads, of many rows."""

    def snapshot(self) -> AbstractContextManager[Connection]:
        """Enter reading one state of the database for as long as that takes; blocks."""

    async def write(self, change: Callable[[Connection], Result]) -> Result:
        """Run a function that changes something; it has survived when this returns."""

    def check(self) -> None:
        """Raise `Busy` when what is written now would be lost with the process."""

    async def close(self) -> None:
        """Let go of everything, after what was asked for is done."""
