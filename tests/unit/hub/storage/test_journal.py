"""The journal in a folder: what it keeps whatever happens."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.content.locking import locked_file
from nacre.hub.errors import Busy
from nacre.hub.jobs.journal import Entry, Told
from nacre.hub.storage.journal import FolderJournal


def entries(*numbers: int) -> list[Entry]:
    return [Entry(number, Told.LINK, {"repository": "a/é", "digest": "x"}) for number in numbers]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal"


def the_file(root: Path) -> Path:
    (path,) = root.glob("*.jsonl")
    return path


def test_a_folder_that_is_not_there_has_no_journal(root: Path) -> None:
    journal = FolderJournal(root)
    assert list(journal) == []
    assert journal.extent() is None
    assert not root.exists()


def test_entries_are_read_in_the_order_they_were_written(root: Path) -> None:
    journal = FolderJournal(root)
    journal.append(entries(1, 2))
    journal.append(entries(3))
    FolderJournal(root).append(entries(4, 5))
    assert list(journal) == entries(1, 2, 3, 4, 5)


def test_only_its_owner_can_read_it(root: Path) -> None:
    FolderJournal(root).append(entries(1))
    assert root.stat().st_mode & 0o777 == 0o700
    assert the_file(root).stat().st_mode & 0o777 == 0o600


def test_its_extent_tells_how_it_grew(root: Path) -> None:
    journal = FolderJournal(root)
    journal.begin_anew(entries(*range(250)))
    begun = journal.extent()
    assert begun is not None
    assert begun.whole == begun.begun == the_file(root).stat().st_size
    journal.append(entries(250))
    grown = journal.extent()
    assert grown is not None
    assert (grown.begun, grown.whole > begun.whole) == (begun.begun, True)
    assert list(journal) == entries(*range(251))


def test_beginning_anew_replaces_everything(root: Path) -> None:
    journal = FolderJournal(root)
    journal.append(entries(1, 2, 3))
    journal.begin_anew(iter(entries(9)))
    assert list(journal) == entries(9)
    journal.append(entries(10))
    journal.begin_anew(iter([]))
    assert list(journal) == []
    assert len(list(root.glob("*.jsonl"))) == 1


def test_what_broke_off_while_beginning_anew_left_all_as_it_was(root: Path) -> None:
    journal = FolderJournal(root)
    journal.append(entries(1, 2))

    def breaking() -> Iterator[Entry]:
        yield from entries(*range(500))
        raise KeyError

    with pytest.raises(KeyError):
        journal.begin_anew(breaking())
    assert list(journal) == entries(1, 2)
    journal.append(entries(3))
    assert list(journal) == entries(1, 2, 3)
    journal.begin_anew(entries(4))
    assert list(journal) == entries(4)


def test_an_old_file_that_was_not_deleted_any_more_does_not_count(root: Path) -> None:
    journal = FolderJournal(root)
    journal.append(entries(1))
    old = the_file(root)
    kept = old.read_bytes()
    journal.begin_anew(entries(2))
    old.write_bytes(kept)
    assert list(journal) == entries(2)
    journal.append(entries(3))
    assert list(journal) == entries(2, 3)
    journal.begin_anew(entries(4))
    assert list(journal) == entries(4)
    assert not old.exists()


@given(st.integers(min_value=1))
def test_a_crash_in_the_middle_of_writing_leaves_what_was_durable(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    root = tmp_path_factory.mktemp("journal")
    journal = FolderJournal(root)
    journal.append(entries(1, 2))
    durable = the_file(root).stat().st_size
    journal.append(entries(3, 4, 5))
    end = the_file(root).stat().st_size
    os.truncate(the_file(root), durable + cut % (end - durable))
    assert list(journal) == entries(1, 2)
    journal.append(entries(6))
    assert list(journal) == entries(1, 2, 6)


def test_half_a_line_that_is_long_is_cut_off(root: Path) -> None:
    journal = FolderJournal(root)
    journal.append(entries(1))
    with the_file(root).open("ab") as file:
        file.write(b"[" + b" " * (3 << 20))
    journal.append(entries(2))
    assert list(journal) == entries(1, 2)


@pytest.mark.parametrize("damage", [b"\0" * 30, b'[[1,"nonsense",{}]]', b"{}", b"[[1]]", b"\xff"])
def test_damage_is_told_and_the_rest_is_read(root: Path, damage: bytes) -> None:
    journal = FolderJournal(root)
    journal.append(entries(1))
    with the_file(root).open("ab") as file:
        file.write(damage + b"\n")
    journal.append(entries(2))
    first, told, last = journal
    assert [first, last] == entries(1, 2)
    assert told.kind is Told.UNREADABLE
    assert "line 2" in told.facts["where"]


def test_only_one_process_writes(root: Path) -> None:
    journal = FolderJournal(root)
    journal.append(entries(1))
    with locked_file(root / "lock"), pytest.raises(Busy):
        journal.append(entries(2))
    journal.append(entries(3))
    assert list(journal) == entries(1, 3)


def test_a_folder_that_cannot_be_made_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Busy):
        FolderJournal(tmp_path / "file" / "journal").append(entries(1))


def test_beginning_anew_does_not_hold_all_manifests_at_once(root: Path) -> None:
    count, size = 60, 1 << 20
    manifests = (Entry(n, Told.MANIFEST, {"raw": f"{n:0{size}}"}) for n in range(count))
    tracemalloc.start()
    try:
        FolderJournal(root).begin_anew(manifests)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < count * size / 4
    assert [entry.number for entry in FolderJournal(root)] == list(range(count))
