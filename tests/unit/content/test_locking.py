from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from nacre.content.locking import in_place, is_locked, locked_file, remove_unlocked


def test_a_lock_lasts_as_long_as_its_block(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    with locked_file(path):
        assert is_locked(path)
    assert not is_locked(path)
    assert path.exists()


def test_whoever_waits_is_asked_whether_to_go_on(tmp_path: Path) -> None:
    path, asked = tmp_path / "lock", []

    def waiting() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise KeyboardInterrupt

    with (
        locked_file(path),
        pytest.raises(KeyboardInterrupt),
        locked_file(path, waiting=waiting),
    ):
        pass
    assert len(asked) == 3


def test_a_waiter_does_not_take_a_file_that_was_removed(tmp_path: Path) -> None:
    path, waits = tmp_path / "lock", threading.Event()
    found: list[bool] = []

    def wait() -> None:
        with locked_file(path, waiting=waits.set) as file:
            found.append(in_place(file, path))

    waiter = threading.Thread(target=wait)
    with locked_file(path):
        waiter.start()
        waits.wait()
        path.unlink()
    waiter.join()
    assert found == [True]


def test_a_locked_file_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked_file(path) as file:
        os.write(file, b"12345")
        assert remove_unlocked(path) == 0
        assert path.exists()
    assert remove_unlocked(path) == 5
    assert not path.exists()
    assert remove_unlocked(path) == 0


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="link"), locked_file(tmp_path / "link"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_is_not_inherited_by_programs_started_meanwhile(tmp_path: Path) -> None:
    with locked_file(tmp_path / "lock") as file:
        assert not os.get_inheritable(file)
