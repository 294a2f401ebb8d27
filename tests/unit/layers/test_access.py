"""Unlocking what belongs to us."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.layers.access import unlocked_name
from tests.unit.layers.trees import open_files_unchanged


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_PATH)
    yield fd
    os.close(fd)


def mode(parent: int, name: str) -> int:
    return stat.S_IMODE(os.lstat(f"/proc/self/fd/{parent}/{name}").st_mode)


@pytest.mark.parametrize("bits", [0o000, 0o444, 0o4111, 0o755])
def test_a_name_is_unlocked_and_locked_again(tmp_path: Path, parent: int, bits: int) -> None:
    (tmp_path / "f").touch()
    (tmp_path / "f").chmod(bits)
    with open_files_unchanged(), unlocked_name(parent, b"f"):
        assert mode(parent, "f") == bits | 0o700
    assert mode(parent, "f") == bits


def test_a_name_is_locked_again_after_a_failure(tmp_path: Path, parent: int) -> None:
    (tmp_path / "f").touch()
    (tmp_path / "f").chmod(0)
    with open_files_unchanged(), pytest.raises(KeyError), unlocked_name(parent, b"f"):
        raise KeyError
    assert mode(parent, "f") == 0


def test_a_link_is_not_followed(tmp_path: Path, parent: int) -> None:
    (tmp_path / "f").touch()
    (tmp_path / "f").chmod(0)
    (tmp_path / "link").symlink_to("f")
    with unlocked_name(parent, b"link"):
        assert mode(parent, "f") == 0
