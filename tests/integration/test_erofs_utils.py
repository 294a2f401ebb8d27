"""What erofs-utils say of our images."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest

from nacre.erofs.reader import Image
from tests.integration.erofs_images import image_of, unpack, without_checksum
from tests.peers.erofs_utils import erofs_utils, version_of
from tests.peers.snapshot import snapshot
from tests.peers.tools import Tool

pytestmark = [pytest.mark.root, pytest.mark.peers]


@pytest.fixture(scope="module")
def utils(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tool]:
    return erofs_utils(tmp_path_factory.mktemp("erofs") / "root")


def test_they_know_small_blocks(utils: dict[str, Tool]) -> None:
    assert version_of(utils["fsck.erofs"]) >= (1, 7)


@pytest.fixture
def image(debian_rootfs_tar: Path, tmp_path: Path) -> Path:
    """The image of a real root file system."""
    image_of(debian_rootfs_tar, tmp_path / "image")
    return tmp_path / "image"


def test_dump_reads_the_superblock(utils: dict[str, Tool], image: Path) -> None:
    said = utils["dump.erofs"]("-s", image)
    facts = dict(re.findall(r"^Filesystem (.+?): +(.*)$", said, re.MULTILINE))
    found = Image(image.read_bytes()).superblock
    assert facts["blocksize"] == "512"
    assert facts["root nid"] == str(found.root_nid)
    assert facts["inode count"] == str(found.inodes)
    assert facts["UUID"] == str(UUID(bytes=found.uuid))
    assert facts["features"].split() == ["sb_csum", "mtime", "chunked_file", "device_table"]


def test_dump_lists_directories_and_finds_data(
    utils: dict[str, Tool], image: Path, debian_rootfs_tar: Path
) -> None:
    device = f"--device={debian_rootfs_tar}"
    listed = utils["dump.erofs"]("--ls", "--path=/usr", device, image)
    ours = Image(image.read_bytes())
    expected = {
        (str(entry.nid), str(entry.file_type), entry.name.decode())
        for entry in ours.children(ours.lookup(b"usr"))
    }
    rows = re.findall(r"^ +(\d+) +(\d) +(.*)$", listed, re.MULTILINE)
    assert {row for row in rows if row[2] not in (".", "..")} == expected
    nid = ours.lookup(b"etc/debian_version")
    text = utils["dump.erofs"]("--cat", "--path=/etc/debian_version", device, image)
    (stretch,) = ours.stretches(nid)
    with debian_rootfs_tar.open("rb") as tar:
        tar.seek(stretch.position)
        assert text.encode() == tar.read(stretch.length)


def test_fsck_finds_no_fault(utils: dict[str, Tool], image: Path, debian_rootfs_tar: Path) -> None:
    without_checksum(image)
    utils["fsck.erofs"]("--extract", f"--device={debian_rootfs_tar}", image)


def test_fsck_finds_a_fault(utils: dict[str, Tool], image: Path, debian_rootfs_tar: Path) -> None:
    data = bytearray(without_checksum(image).read_bytes())
    data[100_000:200_000] = bytes(100_000)
    image.write_bytes(data)
    done = utils["fsck.erofs"].attempt("--extract", f"--device={debian_rootfs_tar}", image)
    assert done.returncode != 0


def test_fsck_extracts_what_tar_does(
    utils: dict[str, Tool], image: Path, debian_rootfs_tar: Path, tmp_path: Path
) -> None:
    device = f"--device={debian_rootfs_tar}"
    utils["fsck.erofs"](f"--extract={tmp_path / 'found'}", device, without_checksum(image))
    found = snapshot(tmp_path / "found")
    expected = snapshot(unpack(debian_rootfs_tar, tmp_path / "unpacked"))
    assert found.keys() == expected.keys()
    wrong = {name: (found[name], expected[name]) for name in found if found[name] != expected[name]}
    assert not wrong
