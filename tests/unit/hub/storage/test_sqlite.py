"""SQLite below the records: commits, failures, other processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, text

from nacre.hub.errors import Busy, OutOfSpace
from nacre.hub.storage.sql import sqlite as module
from nacre.hub.storage.sql.faults import meant
from nacre.hub.storage.sql.sqlite import SqliteDatabase

_COUNT = text("SELECT count(*) FROM leases")
_ADD = text("INSERT INTO leases VALUES (:name, 'holder', 0)")

CHILD = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import text
from nacre.hub.storage.sql.sqlite import SqliteDatabase

async def main():
    database = SqliteDatabase(Path(sys.argv[1]))
    number = 0
    async def one(name):
        add = text("INSERT INTO leases VALUES (:name, 'holder', 0)")
        await database.write(lambda connection: connection.execute(add, {"name": name}).rowcount)
        print(name, flush=True)
    while True:
        await asyncio.gather(*(one(f"lease-{number + each}") for each in range(8)))
        number += 8

asyncio.run(main())
"""


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(path)
    try:
        yield database
    finally:
        await database.close()


def adding(name: str) -> Callable[[Connection], int]:
    """Return a write of one row, which fails when the row is there."""
    return lambda connection: connection.execute(_ADD, {"name": name}).rowcount


def count(connection: Connection) -> int:
    return int(connection.execute(_COUNT).scalar_one())


def test_writes_that_wait_are_committed_together(tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path / "hub.db") as database:
            begun, may_go_on = Event(), Event()

            def slow(connection: Connection) -> None:
                begun.set()
                assert may_go_on.wait(60)

            first = asyncio.create_task(database.write(slow))
            assert await asyncio.to_thread(begun.wait, 60)
            commits_before = await database.read(_version)
            waiting = [asyncio.create_task(database.write(adding(f"{n}"))) for n in range(20)]
            await asyncio.sleep(0)
            may_go_on.set()
            await asyncio.gather(first, *waiting)
            # The number grows with each commit of others that this connection notices.
            assert await database.read(_version) - commits_before == 1
            assert await database.read(count) == 20

    asyncio.run(run())


def _version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


def test_a_write_that_fails_undoes_only_its_own(tmp_path: Path) -> None:
    def half(connection: Connection) -> None:
        adding("half")(connection)
        raise LookupError("wrong")

    async def run() -> None:
        async with opened(tmp_path / "hub.db") as database:
            outcomes = await asyncio.gather(
                database.write(adding("a")),
                database.write(half),
                database.write(adding("a")),
                database.write(adding("b")),
                return_exceptions=True,
            )
            kinds = [type(outcome).__name__ for outcome in outcomes]
            assert kinds == ["int", "LookupError", "IntegrityError", "int"]
            assert await database.read(count) == 2

    asyncio.run(run())


def test_a_write_whose_caller_went_away_hurts_nobody(tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path / "hub.db") as database:
            task = asyncio.create_task(database.write(adding("a")))
            await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await database.write(adding("b"))
            assert await database.read(count) == 2

    asyncio.run(run())


def test_a_kept_result_is_forgotten_at_any_commit(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "hub.db"
        async with opened(path) as database, opened(path) as other:
            looks: list[int] = []

            def look(connection: Connection) -> int:
                looks.append(1)
                return count(connection)

            assert [await database.known("key", look) for _ in range(3)] == [0, 0, 0]
            assert len(looks) == 1
            await database.write(adding("own"))
            assert await database.known("key", look) == 1
            await other.write(adding("another's"))
            assert await database.known("key", look) == 2

    asyncio.run(run())


def test_a_lock_of_another_process_that_stays_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)

    async def run() -> None:
        path = tmp_path / "hub.db"
        async with opened(path) as database:
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
                holder.execute("BEGIN IMMEDIATE")
                with pytest.raises(Busy, match="locked by another process"):
                    await database.write(adding("a"))
                assert await database.read(count) == 0  # reading goes on meanwhile
                holder.execute("ROLLBACK")
            await database.write(adding("a"))
            assert await database.read(count) == 1

    asyncio.run(run())


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    command = [sys.executable, "-c", CHILD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [child.stdout.readline().strip() for _ in range(100)]
        os.kill(child.pid, signal.SIGKILL)
        told += child.stdout.read().split()
    told = told[:-1]  # the last line may be cut off

    async def run() -> None:
        async with opened(path) as database:
            there = await database.read(
                lambda connection: set(connection.scalars(text("SELECT name FROM leases")))
            )
            assert set(told) <= there

    asyncio.run(run())


def test_a_full_disk_is_told_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"

    async def run() -> None:
        async with opened(path) as database:
            await database.write(adding("before"))
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            log = path.with_name("hub.db-wal").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (log + 4096, limits[1]))
            try:
                with pytest.raises(Busy):
                    await database.write(adding("x" * 1_000_000))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
                signal.signal(signal.SIGXFSZ, handler)
            assert await database.read(count) == 1
            await database.write(adding("after"))
            assert await database.read(count) == 2

    asyncio.run(run())


def test_no_space_in_the_database_is_out_of_space(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "small.db")) as raw:
        raw.execute("CREATE TABLE t (x)")
        raw.execute("PRAGMA max_page_count=2")
        with pytest.raises(sqlite3.OperationalError) as full:
            raw.execute("INSERT INTO t VALUES (zeroblob(1000000))")
    assert isinstance(meant(full.value), OutOfSpace)


def test_what_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    path.write_bytes(b"something else altogether" * 100)
    with pytest.raises(Busy, match="damaged"):
        SqliteDatabase(path)


def test_what_cannot_be_opened_is_named_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    path.mkdir()
    with pytest.raises(Busy, match=f"cannot open the hub's records {path}: Is a dir") as caught:
        SqliteDatabase(path)
    assert "run this as the user that owns them" in caught.value.remedy
    path.rmdir()
    path.write_bytes(b"something else altogether" * 100)
    with pytest.raises(Busy, match=f"the hub's records {path} are damaged") as caught:
        SqliteDatabase(path)
    assert "backup" in caught.value.remedy


@pytest.mark.parametrize("place", ["nothing", "an empty file", "another database", "no folder"])
def test_records_that_were_moved_away_are_busy_and_never_made_again(
    tmp_path: Path, place: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / "hub.db"

    async def run() -> None:
        async with opened(path) as database:
            await database.write(adding("before"))
            await stopped(database)

    async def stopped(database: SqliteDatabase) -> None:
        away = tmp_path / "away"
        folder.rename(away)
        if place != "no folder":
            folder.mkdir()
        if place == "an empty file":
            path.touch()
        elif place == "another database":
            async with opened(path):
                pass
        there = path.read_bytes() if path.exists() else None
        with pytest.raises(Busy, match="moved away or replaced"):
            await database.write(adding("lost"))
        with pytest.raises(Busy):
            database.check()
        with pytest.raises(Busy):  # by a thread that has not read yet
            await database.survey(count)
        with pytest.raises(Busy):
            await asyncio.to_thread(lambda: asyncio.run(database.known("key", count)))
        assert (path.read_bytes() if path.exists() else None) == there
        shutil.rmtree(folder, ignore_errors=True)
        away.rename(folder)
        database.check()
        await database.write(adding("after"))

    asyncio.run(run())


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path / "hub.db") as database:
            await database.write(adding("a"))
            modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
            assert modes == {0o600}

    asyncio.run(run())


def test_closed_records_say_so(tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path / "hub.db") as database:
            pass
        with pytest.raises(Busy, match="closed"):
            await database.write(adding("a"))
        with pytest.raises(Busy, match="closed"):
            await database.read(count)

    asyncio.run(run())
