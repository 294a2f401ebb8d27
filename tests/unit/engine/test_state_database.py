from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from nacre.engine.state import State
from nacre.engine.state_database import Database
from nacre.engine.state_schema import STEPS
from nacre.errors import Invalid, Unavailable, Unsupported
from nacre.oci.descriptor import Descriptor
from tests.unit.processes import child

ONE = Descriptor.of("application/vnd.oci.image.manifest.v1+json", b"one")
NEXT = (*STEPS, ("ALTER TABLE names ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",))


class _Failure(Exception):
    pass


def version_of(root: Path) -> int:
    connection = sqlite3.connect(root / "state.db")
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def test_a_new_database_has_taken_all_steps(tmp_path: Path) -> None:
    Database(tmp_path).close()
    assert version_of(tmp_path) == len(STEPS)


def test_a_store_of_an_older_format_is_migrated_and_keeps_its_content(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        state.tag("a", ONE)
    database = Database(tmp_path, steps=NEXT)
    assert database.rows("SELECT name, note FROM names") == [("a", "none")]
    database.close()
    assert version_of(tmp_path) == len(NEXT)


def test_every_step_is_taken_in_turn(tmp_path: Path) -> None:
    steps = (
        ("CREATE TABLE a (x)", "INSERT INTO a VALUES (1)"),
        ("ALTER TABLE a ADD COLUMN y DEFAULT 2",),
        ("UPDATE a SET x = x + y",),
    )
    for count in (1, 3):
        Database(tmp_path, steps=steps[:count]).close()
    database = Database(tmp_path, steps=steps)
    assert database.rows("SELECT x, y FROM a") == [(3, 2)]
    database.close()


def test_a_migration_that_fails_leaves_the_old_format(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        state.tag("a", ONE)
    with pytest.raises(sqlite3.OperationalError):
        Database(tmp_path, steps=(*NEXT, ("not SQL",)))
    with State(tmp_path) as state:
        assert state.resolve("a") == ONE


def test_a_store_of_a_newer_format_is_not_touched(tmp_path: Path) -> None:
    Database(tmp_path, steps=NEXT).close()
    before = (tmp_path / "state.db").read_bytes()
    with pytest.raises(Unsupported, match=f"has format {len(NEXT)}") as caught:
        State(tmp_path)
    assert caught.value.remedy == "use a newer nacre"
    assert (tmp_path / "state.db").read_bytes() == before


def test_two_that_open_a_new_store_at_once_make_it_once(tmp_path: Path) -> None:
    with (
        child("tag", tmp_path, "a", 1) as one,
        child("tag", tmp_path, "b", 1) as two,
        child("tag", tmp_path, "c", 1) as three,
    ):
        assert {one.finish(), two.finish(), three.finish()} == {"done"}
    with State(tmp_path) as state:
        assert list(state.names()) == ["a0", "b0", "c0"]


def test_many_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    with (
        child("tag", tmp_path, "a", 100) as one,
        child("tag", tmp_path, "b", 100) as two,
    ):
        assert {one.finish(), two.finish()} == {"done"}
    with State(tmp_path) as state:
        assert len(list(state.names())) == 200


@pytest.mark.parametrize(
    "content", [b"this is no database" * 100, b"SQLite format 3\0" + b"x" * 99]
)
def test_a_damaged_database_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.db").write_bytes(content)
    with pytest.raises(Invalid, match=r"state\.db in .* is damaged") as caught:
        State(tmp_path)
    assert caught.value.remedy


def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path)
    with pytest.raises(_Failure), database.writing() as connection:  # noqa: PT012
        connection.execute("INSERT INTO layers VALUES ('a', 1)")
        raise _Failure
    assert database.rows("SELECT * FROM layers") == []
    database.close()


def test_an_inner_transaction_is_part_of_the_outer_one(tmp_path: Path) -> None:
    database = Database(tmp_path)
    with pytest.raises(_Failure), database.writing():  # noqa: PT012
        with database.writing() as connection:
            connection.execute("INSERT INTO layers VALUES ('a', 1)")
        raise _Failure
    assert database.rows("SELECT * FROM layers") == []
    database.close()


def test_a_store_that_others_keep_busy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nacre.engine.state_database._PATIENCE", 0.1)
    monkeypatch.setattr("nacre.engine.state_database._ATTEMPT", 0.01)
    with State(tmp_path) as one, State(tmp_path) as two, one.collecting():
        with pytest.raises(Unavailable, match="in use by another process"):
            two.tag("a", ONE)
        assert list(two.names()) == []


def test_opening_a_store_of_the_right_format_writes_nothing(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        state.tag("a", ONE)
    before = (tmp_path / "state.db").stat().st_mtime_ns
    with State(tmp_path) as state:
        assert state.resolve("a") == ONE
    assert (tmp_path / "state.db").stat().st_mtime_ns == before


def test_odd_names_of_folders_are_just_names(tmp_path: Path) -> None:
    root = tmp_path / "a b?mode=ro#c%20&é"
    with State(root) as state:
        state.tag("a", ONE)
    assert (root / "state.db").exists()


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="Not a directory"):
        State(tmp_path / "file")


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that strangers reach and may not write to, once its mode is 0o555."""
    with TemporaryDirectory() as folder:
        yield Path(folder)
        Path(folder).chmod(0o700)


def test_a_store_that_cannot_be_written_to_can_be_read(public: Path) -> None:
    with State(public) as state:
        state.tag("a", ONE)
    (public / "state.db").chmod(0o444)
    public.chmod(0o555)
    with child("read_only", public) as process:
        assert process.finish().splitlines() == [
            "names: a",
            "lease: entered",
            "tag: Denied",
            "collect: Denied",
        ]


def test_a_read_only_store_that_was_not_closed_is_told(public: Path) -> None:
    with State(public) as state:
        state.tag("a", ONE)
        left = (public / "state.db-wal").read_bytes()
    (public / "state.db-wal").write_bytes(left)
    (public / "state.db").chmod(0o444)
    public.chmod(0o555)
    with child("read_only", public) as process:
        assert process.finish() == (
            f"Unavailable: the store in {public} is read-only and was not closed properly"
        )


def test_no_store_where_none_can_be_made_is_told(public: Path) -> None:
    public.chmod(0o555)
    with child("read_only", public) as process:
        assert process.finish().startswith("NotFound: there is no store in")


def test_a_store_of_somebody_else_is_told(public: Path) -> None:
    State(public).close()
    public.chmod(0o555)
    (public / "state.db").chmod(0)
    with child("read_only", public) as process:
        assert process.finish().startswith("Denied: no permission for state.db in")


def test_a_read_only_store_of_an_older_format_is_told(public: Path) -> None:
    Database(public, steps=()).close()
    (public / "state.db").chmod(0o444)
    public.chmod(0o555)
    with child("read_only", public) as process:
        assert process.finish().startswith("Unsupported: the store in")
