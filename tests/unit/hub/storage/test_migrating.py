"""A database comes to be by its migrations, and by nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from nacre.errors import Unsupported
from nacre.hub.storage.sql import migrating, schema
from nacre.hub.storage.sql.sqlite import SqliteDatabase

OPEN = """
import asyncio, sys
from pathlib import Path
from nacre.hub.storage.sql.sqlite import SqliteDatabase
asyncio.run(SqliteDatabase(Path(sys.argv[1])).close())
"""


def make(path: Path) -> None:
    """Open a database and close it again."""
    asyncio.run(SqliteDatabase(path).close())


def tables(path: Path) -> dict[str, str]:
    """Return what SQLite has noted of each table and index, spaces and quotes aside."""
    with contextlib.closing(sqlite3.connect(path)) as raw:
        rows = raw.execute(
            "SELECT name, sql FROM sqlite_master"
            " WHERE type IN ('table', 'index') AND sql IS NOT NULL"
        ).fetchall()
    return {
        name: "\n".join(sorted(part.strip(" ,()") for part in re.split(r"[\n\t]", sql) if part))
        for name, sql in rows
        if not name.startswith(("sqlite_", "alembic_"))
    }


def test_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    make(tmp_path / "migrated.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'direct.db'}")
    schema.metadata.create_all(engine)
    engine.dispose()
    assert tables(tmp_path / "migrated.db") == tables(tmp_path / "direct.db")


def test_the_version_is_that_of_the_newest_migration() -> None:
    folder = Path(migrating.__file__).with_name("migrations")
    assert ScriptDirectory(str(folder)).get_current_head() == schema.VERSION


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path / "hub.db")
    before = tables(tmp_path / "hub.db")
    make(tmp_path / "hub.db")
    assert tables(tmp_path / "hub.db") == before


def test_processes_that_open_a_new_database_at_once_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(tmp_path / "hub.db")]
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(subprocess.Popen(command)) for _ in range(3)]
        assert [process.wait(120) for process in running] == [0, 0, 0]


def test_a_database_of_a_newer_hub_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    make(path)
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()
    before = tables(path)
    with pytest.raises(Unsupported, match="version 9999, which is newer") as refused:
        SqliteDatabase(path)
    assert refused.value.remedy
    assert tables(path) == before
