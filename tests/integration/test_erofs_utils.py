"""What erofs-utils say of our images."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.erofs_images import image_of, unpack
from tests.peers.erofs_utils import erofs_utils, version_of
from tests.peers.snapshot import snapshot
from tests.peers.tools import Tool

pytestmark = [pytest.mark.root, pytest.mark.peers]


@pytest.fixture(scope="module")
def utils(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tool]:
    return erofs_utils(tmp_path_factory.mktemp("erofs") / "root")


def test_they_know_small_blocks(utils: dict[str, Tool]) -> None:
    assert version_of(utils["fsck.erofs"]) >= (1, 7)


def test_fsck_finds_no_fault(
    utils: dict[str, Tool], debian_rootfs_tar: Path, tmp_path: Path
) -> None:
    image_of(debian_rootfs_tar, tmp_path / "image")
    device = f"--device={debian_rootfs_tar}"
    said = utils["fsck.erofs"]("--extract", device, tmp_path / "image")
    assert "No errors found" in said


def test_fsck_extracts_what_tar_does(
    utils: dict[str, Tool], debian_rootfs_tar: Path, tmp_path: Path
) -> None:
    image_of(debian_rootfs_tar, tmp_path / "image")
    device = f"--device={debian_rootfs_tar}"
    utils["fsck.erofs"](f"--extract={tmp_path / 'found'}", "--xattrs", device, tmp_path / "image")
    found, expected = (
        snapshot(tmp_path / "found"),
        snapshot(unpack(debian_rootfs_tar, tmp_path / "tar")),
    )
    assert found.keys() == expected.keys()
    wrong = {name: (found[name], expected[name]) for name in found if found[name] != expected[name]}
    assert not wrong
