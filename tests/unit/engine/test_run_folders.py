"""Run folders of stores that are gone are cleared away, unless somebody uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.engine.run_folders import claim


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def a_store(where: Path) -> Path:
    where.mkdir()
    return where


def names(run: Path) -> list[str]:
    return sorted(path.name for path in run.iterdir())


def test_what_a_gone_store_left_goes(run: Path, tmp_path: Path) -> None:
    gone = a_store(tmp_path / "gone")
    claim(run / "a", gone)
    (run / "a" / "driver-erofs").touch()
    (run / "a" / "erofs").mkdir()
    gone.rmdir()
    claim(run / "b", a_store(tmp_path / "there"))
    assert names(run) == ["b"]


def test_what_is_used_stays(run: Path, tmp_path: Path) -> None:
    gone = a_store(tmp_path / "gone")
    claim(run / "a", gone)
    (run / "a" / "erofs" / "4026531841" / "sha256-1").mkdir(parents=True)
    gone.rmdir()
    claim(run / "b", a_store(tmp_path / "there"))
    assert names(run) == ["a", "b"]
    assert (run / "a" / "store").is_symlink()


def test_that_of_a_store_that_is_there_stays(run: Path, tmp_path: Path) -> None:
    for name in "ab":
        claim(run / name, a_store(tmp_path / name))
    assert names(run) == ["a", "b"]


def test_what_is_nobodys_stays(run: Path, tmp_path: Path) -> None:
    (run / "other").mkdir(parents=True)
    claim(run / "a", a_store(tmp_path / "there"))
    assert names(run) == ["a", "other"]


def test_where_there_can_be_none_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    claim(tmp_path / "file" / "a", a_store(tmp_path / "there"))
    assert (tmp_path / "file").read_bytes() == b""
