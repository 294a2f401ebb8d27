from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from nacre.content.locking import is_locked
from nacre.errors import Unavailable
from nacre.layers.removal import remove
from nacre.storage.staging import Staging, disk_usage
from tests.unit.processes import child


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path / "store")


def put(staging: Staging, key: str, content: str = "") -> None:
    with staging.new() as new:
        (new / "file").write_text(content)
        staging.put(new, "kind", key)


def left(staging: Staging) -> list[str]:
    """Return what is there but for what is in place."""
    return sorted(path.name for path in staging.folder.glob("new/*"))


def test_what_is_put_in_place_is_there(staging: Staging) -> None:
    put(staging, "a", "content")
    assert (staging.place("kind", "a") / "file").read_text() == "content"
    assert staging.keys("kind") == ["a"]
    assert left(staging) == []


def test_what_is_not_put_in_place_is_gone(staging: Staging) -> None:
    with staging.new() as new:
        (new / "locked").mkdir()
        (new / "locked" / "file").touch()
        (new / "locked").chmod(0o000)
    assert left(staging) == []
    assert staging.keys("kind") == []


def test_the_first_one_in_place_stays(staging: Staging) -> None:
    put(staging, "a", "first")
    put(staging, "a", "second")
    assert (staging.place("kind", "a") / "file").read_text() == "first"
    assert left(staging) == []


def test_folders_are_for_nobody_else(staging: Staging) -> None:
    put(staging, "a")
    for folder in (staging.folder, staging.place("kind", "a"), staging.place("kind", "a").parent):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_what_is_taken_away_is_gone_altogether(staging: Staging) -> None:
    for key in "abc":
        put(staging, key)
    staging.take_away([("kind", "a"), ("kind", "c"), ("kind", "never"), ("other", "a")])
    assert staging.keys("kind") == ["b"]
    assert left(staging) == []


def test_nothing_is_taken_away_while_a_use_begins(staging: Staging) -> None:
    put(staging, "a")
    taking = Thread(target=lambda: staging.take_away([("kind", "a")]))
    with staging.using(), staging.using():
        taking.start()
        taking.join(0.1)
        assert staging.keys("kind") == ["a"]
    taking.join()
    assert staging.keys("kind") == []


def test_one_at_a_time_makes_what_others_want_too(staging: Staging) -> None:
    order: list[str] = []

    def second() -> None:
        with staging.making("kind", "a"):
            order.append("second")

    waiting = Thread(target=second)
    with staging.making("kind", "a"):
        waiting.start()
        waiting.join(0.1)
        with staging.making("kind", "b"):
            order.append("another")
        order.append("first")
    waiting.join()
    assert order == ["another", "first", "second"]
    assert not list(staging.folder.glob("making-*"))


def test_what_dead_processes_left_is_removed(staging: Staging) -> None:
    with child("stage", staging.folder) as process:
        assert process.line() == "staged"
        with staging.new() as mine:
            staging.recover()
            assert len(left(staging)) == 4
            process.kill()
            staging.recover()
            assert left(staging) == sorted((mine.name, f"{mine.name}.lock"))
    assert not list(staging.folder.glob("making-*"))


def test_who_begins_meanwhile_is_left_alone(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A name may be taken between the look at its lock and the removal: not if that is locked too.
    (staging.folder / "new").mkdir(parents=True)
    lock = staging.folder / "new" / "a.lock"
    lock.touch()
    (staging.folder / "new" / "a").mkdir()
    locked: list[bool] = []

    def watched(parent: int, name: bytes) -> bool:
        locked.append(is_locked(lock))
        return remove(parent, name)

    monkeypatch.setattr("nacre.storage.staging.remove", watched)
    staging.recover()
    assert locked == [True]
    assert left(staging) == []


def test_where_nothing_is_there_is_nothing_to_recover(staging: Staging) -> None:
    staging.recover()
    assert staging.keys("kind") == []
    assert not staging.folder.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    staging = Staging(tmp_path / "file" / "store")
    with pytest.raises(Unavailable, match="file/store"), staging.new():
        pass


def test_files_take_whole_blocks() -> None:
    assert disk_usage([]) == 0
    assert disk_usage([0, 1, 4096, 4097]) == 5 * 4096
