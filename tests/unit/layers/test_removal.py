from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.layers.removal import remove
from tests.unit.layers.trees import open_files_unchanged


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_PATH)
    with open_files_unchanged():
        yield fd
    os.close(fd)


def test_files_and_links_are_removed_without_their_targets(tmp_path: Path, parent: int) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "file").touch()
    (tmp_path / "link").symlink_to("dir")
    assert not remove(parent, b"link")
    assert (tmp_path / "dir" / "file").exists()
    assert remove(parent, b"dir")
    assert list(tmp_path.iterdir()) == []


def test_links_in_a_tree_are_not_followed(tmp_path: Path, parent: int) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    (tmp_path / "tree" / "below").mkdir(parents=True)
    (tmp_path / "tree" / "link").symlink_to("../outside")
    (tmp_path / "tree" / "below" / "link").symlink_to(tmp_path / "outside")
    remove(parent, b"tree")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (tmp_path / "outside" / "file").exists()


def test_nothing_is_reported(parent: int) -> None:
    with pytest.raises(FileNotFoundError):
        remove(parent, b"nothing")


def test_a_tree_deeper_than_the_stack_and_the_open_files_is_removed(
    tmp_path: Path, parent: int
) -> None:
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
        Path("file").touch()
    finally:
        os.chdir(here)
    remove(parent, b"d")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o000, 0o111, 0o444, 0o555])
def test_what_its_owner_locked_is_removed(tmp_path: Path, parent: int, mode: int) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    (tmp_path / "a" / "b").chmod(mode)
    (tmp_path / "a").chmod(mode)
    remove(parent, b"a")
    assert list(tmp_path.iterdir()) == []
