from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nacre.layers.whiteout import Overlay
from nacre.storage import fuse
from nacre.storage.fuse import FuseOverlay
from nacre.storage.fuse_processes import label_of, servers, wait_for_end
from tests.unit.layers.trees import is_whiteout, paths


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    folder = tmp_path / "upper"
    folder.mkdir()
    return folder


def settled(upper: Path) -> None:
    FuseOverlay(Overlay.USER, owner="test").settle(upper)


def test_markers_of_opaque_directories_become_attributes(upper: Path) -> None:
    (upper / "d" / "below").mkdir(parents=True)
    (upper / "d" / ".wh..wh..opq").touch()
    os.mknod(upper / "d" / ".wh..opq", stat.S_IFCHR, 0)
    settled(upper)
    assert paths(upper) == ["d/", "d/below/"]
    assert os.getxattr(upper / "d", "user.overlay.opaque") == b"y"
    assert not os.listxattr(upper / "d" / "below")


def test_whiteouts_that_are_files_become_devices(upper: Path) -> None:
    (upper / ".wh.gone").touch()
    settled(upper)
    assert paths(upper) == ["gone"]
    assert is_whiteout(upper / "gone")


def test_attributes_of_its_own_are_taken_away(upper: Path) -> None:
    (upper / "f").touch()
    for path in (upper, upper / "f"):
        os.setxattr(path, "user.fuseoverlayfs.origin", b"x")
        os.setxattr(path, "user.note", b"1")
    settled(upper)
    settled(upper)
    assert os.listxattr(upper) == os.listxattr(upper / "f") == ["user.note"]


def test_no_link_leads_out_of_a_top(upper: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / ".wh.x").touch()
    os.setxattr(other, "user.fuseoverlayfs.origin", b"x")
    (upper / "link").symlink_to(other)
    settled(upper)
    assert (other / ".wh.x").exists()
    assert os.listxattr(other) == ["user.fuseoverlayfs.origin"]


def test_what_nobody_serves_has_no_label(upper: Path) -> None:
    assert servers(upper) == []
    assert label_of(upper) == ""
    wait_for_end([os.getpid()])  # no process of the program, so nothing to wait for


def test_without_its_device_it_does_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuse, "_FUSE_DEVICE", tmp_path / "missing")
    assert fuse.probe(tmp_path) == f"{tmp_path / 'missing'} cannot be used"


def test_a_folder_that_is_not_there_is_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuse, "_FUSE_DEVICE", tmp_path)
    problem = fuse.probe(tmp_path / "a")
    assert problem == f"{tmp_path / 'a'} cannot be written to: No such file or directory"
