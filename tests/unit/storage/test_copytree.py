from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from nacre.storage.copytree import copy_content, copy_tree
from tests.unit.layers.trees import mode, paths, unlocked


@pytest.fixture
def source(tmp_path: Path) -> Path:
    tree = tmp_path / "source"
    tree.mkdir()
    return tree


def copied(source: Path) -> Path:
    target = source.parent / "target"
    target.mkdir()
    copy_tree(source, target)
    return target


def test_all_kinds_of_things_are_copied(source: Path) -> None:
    (source / "d").mkdir()
    (source / "d" / "f").write_bytes(b"content" * 1000)
    (source / "d" / "empty").touch()
    (source / "link").symlink_to("/nowhere")
    os.mkfifo(source / "pipe")
    target = copied(source)
    assert paths(target) == ["d/", "d/empty", "d/f", "link", "pipe"]
    assert (target / "d" / "f").read_bytes() == b"content" * 1000
    assert str((target / "link").readlink()) == "/nowhere"
    assert (target / "pipe").is_fifo()


def test_attributes_are_copied(source: Path) -> None:
    (source / "d").mkdir()
    (source / "d" / "f").write_bytes(b"1")
    (source / "d" / "f").chmod(0o4711)
    os.setxattr(source / "d" / "f", "user.note", b"\0\xff")
    os.setxattr(source / "d", "user.note", b"d")
    os.utime(source / "d" / "f", ns=(5, -1_999_999_999))
    (source / "d").chmod(0o1770)
    os.utime(source / "d", ns=(7, 1_000_000_007))
    os.utime(source, ns=(8, 1_000_000_008))
    target = copied(source)
    assert [mode(target / name) for name in ("d", "d/f")] == [0o1770, 0o4711]
    assert [(target / name).stat().st_mtime_ns for name in ("", "d", "d/f")] == [
        *(1_000_000_008, 1_000_000_007, -1_999_999_999)
    ]
    assert os.getxattr(target / "d" / "f", "user.note") == b"\0\xff"
    assert os.getxattr(target / "d", "user.note") == b"d"


def test_names_of_one_file_stay_names_of_one_file(source: Path) -> None:
    (source / "a").write_bytes(b"1")
    os.link(source / "a", source / "b")
    (source / "other").write_bytes(b"1")
    os.mkfifo(source / "p")
    os.link(source / "p", source / "q")
    target = copied(source)
    assert os.path.samefile(target / "a", target / "b")
    assert os.path.samefile(target / "p", target / "q")
    assert (target / "other").stat().st_nlink == 1
    assert not os.path.samefile(target / "a", source / "a")


def test_what_its_owner_may_not_read_is_copied_and_stays_locked(source: Path) -> None:
    (source / "d").mkdir()
    (source / "d" / "f").write_bytes(b"secret")
    (source / "d" / "f").chmod(0o000)
    (source / "d").chmod(0o000)
    target = copied(source)
    assert mode(source / "d") == mode(target / "d") == 0o000
    unlocked(target)
    assert mode(target / "d" / "f") == 0o000
    (target / "d" / "f").chmod(0o400)
    assert (target / "d" / "f").read_bytes() == b"secret"


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(40 << 20)
        for offset in (1 << 20, 20 << 20):
            file.seek(offset)
            file.write(b"data" * 2000)


def test_holes_stay_holes(source: Path) -> None:
    sparse(source / "f")
    target = copied(source)
    assert (target / "f").read_bytes() == (source / "f").read_bytes()
    assert (target / "f").stat().st_blocks * 512 < 1 << 20


def test_a_file_that_is_all_hole(source: Path) -> None:
    with (source / "f").open("wb") as file:
        file.truncate(1 << 30)
    target = copied(source)
    assert (target / "f").stat().st_size == 1 << 30
    assert (target / "f").stat().st_blocks == 0


def test_where_bytes_can_be_shared_they_are_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared: list[tuple[int, int]] = []

    def share(target: int, request: int, source: int) -> int:
        assert request == 0x40049409
        shared.append((source, target))
        return 0

    monkeypatch.setattr(fcntl, "ioctl", share)
    with (tmp_path / "a").open("wb+") as one, (tmp_path / "b").open("wb+") as other:
        one.write(b"1")
        one.flush()
        copy_content(one.fileno(), other.fileno())
        assert shared == [(one.fileno(), other.fileno())]
        assert other.read() == b""


def test_a_tree_changes_nothing_of_what_it_was_copied_from(source: Path) -> None:
    (source / "f").write_bytes(b"1")
    target = copied(source)
    (target / "f").write_bytes(b"2")
    assert (source / "f").read_bytes() == b"1"
