from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from nacre.content.locking import locked_file
from nacre.errors import Denied, Unavailable
from nacre.layers.entry import Entry, Kind
from nacre.layers.toc import Toc, toc_of
from nacre.oci.digest import Digest
from nacre.storage.tocs import Tocs

ONE = toc_of([Entry(b"a", Kind.REG, size=3)], layer=Digest.of(b"one"), size=2048)
TWO = toc_of([], layer=Digest.of(b"two"), size=1024)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store" / "tocs"


@pytest.fixture
def tocs(folder: Path) -> Tocs:
    return Tocs(folder)


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_was_put_is_there(tocs: Tocs) -> None:
    tocs.put(ONE)
    tocs.put(TWO)
    assert tocs.get(ONE.layer) == ONE
    assert tocs.get(TWO.layer) == TWO
    assert set(tocs) == {ONE.layer, TWO.layer}


def test_reading_makes_no_folder(tocs: Tocs, folder: Path) -> None:
    assert tocs.get(ONE.layer) is None
    assert list(tocs) == []
    assert tocs.keep_only(()) == tocs.size(ONE.layer) == 0
    assert not folder.exists()


def test_the_folder_is_its_owners_alone(tocs: Tocs, folder: Path) -> None:
    tocs.put(ONE)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert only_file(folder).stat().st_mode & 0o077 == 0


def test_putting_again_replaces(tocs: Tocs, folder: Path) -> None:
    tocs.put(toc_of([], layer=ONE.layer))
    tocs.put(ONE)
    assert tocs.get(ONE.layer) == ONE
    assert only_file(folder).stat().st_size == tocs.size(ONE.layer)


@pytest.mark.parametrize("cut", [0, 7, 100, -1])
def test_a_truncated_table_is_not_there(tocs: Tocs, folder: Path, cut: int) -> None:
    tocs.put(ONE)
    path = only_file(folder)
    path.write_bytes(path.read_bytes()[:cut])
    assert tocs.get(ONE.layer) is None
    tocs.put(ONE)
    assert tocs.get(ONE.layer) == ONE


def test_the_table_of_another_layer_is_not_there(tocs: Tocs, folder: Path) -> None:
    tocs.put(ONE)
    path = only_file(folder)
    path.rename(path.with_name(f"sha256-{TWO.layer.encoded}.toc"))
    assert tocs.get(TWO.layer) is None


def test_removed_is_gone_and_removing_twice_no_error(tocs: Tocs) -> None:
    tocs.put(ONE)
    tocs.remove(ONE.layer)
    tocs.remove(ONE.layer)
    assert tocs.get(ONE.layer) is None


def test_keeping_only_some_removes_the_others_and_tells_their_size(
    tocs: Tocs, folder: Path
) -> None:
    tocs.put(ONE)
    tocs.put(TWO)
    size = tocs.size(TWO.layer)
    assert size > 0
    assert tocs.keep_only({ONE.layer}) == size
    assert set(tocs) == {ONE.layer}
    assert tocs.keep_only({ONE.layer}) == 0


def test_what_dead_processes_left_is_removed(tocs: Tocs, folder: Path) -> None:
    tocs.put(ONE)
    (folder / f"sha256-{ONE.layer.encoded}.0123456789abcdef").write_bytes(b"half")
    (folder / f"sha256-{ONE.layer.encoded}.lock").touch()
    assert tocs.keep_only({ONE.layer}) == len(b"half")
    assert only_file(folder).suffix == ".toc"


def test_what_living_processes_write_stays(tocs: Tocs, folder: Path) -> None:
    tocs.put(ONE)
    being_written = folder / f"sha256-{TWO.layer.encoded}.0123456789abcdef"
    with locked_file(being_written), tocs.making(ONE.layer):
        assert tocs.keep_only({ONE.layer}) == 0
        assert being_written.exists()
        assert (folder / f"sha256-{ONE.layer.encoded}.lock").exists()


def test_what_strangers_put_there_stays(tocs: Tocs, folder: Path) -> None:
    tocs.put(ONE)
    (folder / "notes.txt").touch()
    (folder / "sha256-12.toc").touch()
    tocs.keep_only(())
    assert {path.name for path in folder.iterdir()} == {"notes.txt", "sha256-12.toc"}
    assert list(tocs) == []


def test_one_at_a_time_makes_what_belongs_to_a_layer(tocs: Tocs) -> None:
    order: list[str] = []
    entered, waited = threading.Event(), threading.Event()

    def second() -> None:
        entered.wait()
        with tocs.making(ONE.layer, waiting=waited.set):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with tocs.making(ONE.layer):
        entered.set()
        assert waited.wait(30)
        with tocs.making(TWO.layer):
            order.append("another layer meanwhile")
        order.append("first")
    thread.join()
    assert order == ["another layer meanwhile", "first", "second"]


def test_nothing_is_left_of_making(tocs: Tocs, folder: Path) -> None:
    with tocs.making(ONE.layer):
        assert only_file(folder).suffix == ".lock"
    assert not list(folder.iterdir())


def test_tables_can_be_put_while_they_are_made(tocs: Tocs) -> None:
    with tocs.making(ONE.layer):
        tocs.put(ONE)
    assert tocs.get(ONE.layer) == ONE


def test_many_threads_put_the_same(tocs: Tocs, folder: Path) -> None:
    threads = [threading.Thread(target=tocs.put, args=(ONE,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tocs.get(ONE.layer) == ONE
    assert len(list(folder.iterdir())) == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write to")
def test_where_nothing_can_be_written_that_is_said(tmp_path: Path) -> None:
    tocs = Tocs(Path("/proc/self/tocs"))
    with pytest.raises((Denied, Unavailable)):
        tocs.put(ONE)
    with pytest.raises((Denied, Unavailable)), tocs.making(ONE.layer):
        pass


def test_a_failed_write_leaves_nothing(
    tocs: Tocs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    folder.mkdir(parents=True)
    with pytest.raises(Unavailable, match="no space left"):
        tocs.put(ONE)
    assert not list(folder.iterdir())


def test_an_unreadable_table_is_said(tocs: Tocs, folder: Path) -> None:
    (folder / f"sha256-{ONE.layer.encoded}.toc").mkdir(parents=True)
    with pytest.raises(Unavailable):
        tocs.get(ONE.layer)


def test_equal_tables_are_equal_files(tocs: Tocs, folder: Path) -> None:
    tocs.put(ONE)
    before = only_file(folder).read_bytes()
    copy = tocs.get(ONE.layer)
    assert isinstance(copy, Toc)
    tocs.put(copy)
    assert only_file(folder).read_bytes() == before
