"""Leases: rows that count as long as a process holds the lock of the file they belong to.

``leases/<pid>-<random>`` is locked from before its first row to after its last. A process that
is killed leaves file and rows, but no lock: both are cleared away by the next collection.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from nacre.content.diskerrors import disk_errors
from nacre.content.durable import make_folder
from nacre.content.leases import Lease
from nacre.content.locking import is_locked, locked_file, remove_unlocked
from nacre.engine.state_database import Database
from nacre.engine.state_values import as_descriptor, as_text
from nacre.errors import NacreError
from nacre.oci.descriptor import Descriptor

_NAME = re.compile(r"[0-9]+-[0-9a-f]{16}")


class StateLeases:
    """`Leases` in a database and a folder of locked files."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """Enter a lease; of a read-only store, from which nothing vanishes, it is a formality."""
        if self._database.is_read_only:
            yield _Formality()
            return
        name = f"{os.getpid()}-{os.urandom(8).hex()}"
        file = self._folder / name
        with ExitStack() as stack:
            with disk_errors(self._folder):
                make_folder(self._folder, 0o700)
                stack.enter_context(locked_file(file))
            lease = _StateLease(self._database, name)
            try:
                yield lease
            finally:
                # What cannot be cleared now is cleared by the next collection.
                with suppress(NacreError, OSError):
                    lease.end()
                    file.unlink()

    def held(self) -> list[Descriptor]:
        """Return what live leases hold."""
        rows = self._database.rows("SELECT lease, descriptor FROM held")
        alive = {lease: self._is_alive(lease) for lease, _ in rows}
        return [as_descriptor(text) for lease, text in rows if alive[lease]]

    def clear(self) -> None:
        """Clear away what dead processes left; only where nobody can hold meanwhile."""
        with disk_errors(self._folder), suppress(FileNotFoundError):
            for file in list(self._folder.iterdir()):
                if _NAME.fullmatch(file.name):  # the store may have been put into anybody's folder
                    remove_unlocked(file)
        with self._database.writing() as connection:
            for (lease,) in self._database.rows("SELECT DISTINCT lease FROM held"):
                if not self._is_alive(lease):
                    connection.execute("DELETE FROM held WHERE lease = ?", (lease,))

    def _is_alive(self, lease: str) -> bool:
        with disk_errors(self._folder):
            return is_locked(self._folder / lease)


class _StateLease:
    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._is_used = False

    def hold(self, descriptors: Iterable[Descriptor]) -> None:
        rows = [(self._name, each.digest, as_text(each)) for each in descriptors]
        self._is_used = True
        with self._database.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?)", rows)

    def end(self) -> None:
        if self._is_used:
            with self._database.writing() as connection:
                connection.execute("DELETE FROM held WHERE lease = ?", (self._name,))


class _Formality:
    def hold(self, descriptors: Iterable[Descriptor]) -> None:
        pass
