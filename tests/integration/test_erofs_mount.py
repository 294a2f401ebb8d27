"""The kernel sees in an image what GNU tar unpacks from the same archive."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.erofs.inode import Inode
from nacre.erofs.overlay import holding_whiteouts, opaque, whiteout
from nacre.layers.entry import Extent, Kind
from nacre.storage.mounting import MountFailed
from tests.integration.erofs_images import image_of, mounted, unpack, write
from tests.peers.mounting import erofs_mounted, overlay_mounted
from tests.peers.snapshot import snapshot

pytestmark = [pytest.mark.root, pytest.mark.peers]


def directory(**children: Inode) -> Inode:
    return Inode(
        Kind.DIR,
        mode=0o755,
        children={os.fsencode(name): inode for name, inode in children.items()},
    )


def stored(tar: Path, content: bytes) -> Path:
    """Write what stands in for a tar: the bytes of some files, padded to blocks."""
    tar.write_bytes(content + bytes(-len(content) % 512))
    return tar


@pytest.fixture
def many_things(tmp_path: Path) -> Path:
    """A folder with something of every kind."""
    root = tmp_path / "things"
    root.mkdir()
    for size in (0, 1, 511, 512, 513, 4095, 4096, 4097, 100_000):
        (root / f"file of {size}").write_bytes(random.Random(size).randbytes(size))
    for odd in (b"!", b"-", b".-", b"...", b"\xff\xfe", b"new\nline", b"n" * 255, b"m" * 255):
        (root / os.fsdecode(odd)).write_bytes(odd)
    for number, mode in enumerate((0, 0o400, 0o1777, 0o2755, 0o4711, 0o6777)):
        path = root / f"mode {number}"
        path.write_bytes(b"mode")
        os.chown(path, number * 70_000, 4_000_000_000 + number)
        path.chmod(mode)
    (root / "one").write_bytes(b"linked")
    (root / "deep" / "er" / "still").mkdir(parents=True)
    (root / "deep").chmod(0o1777)
    (root / "empty").mkdir()
    for name in ("another", "deep/a third", "deep/er/still/fourth"):
        os.link(root / "one", root / name)
    for length in (1, 60, 448, 449, 512, 513, 3000, 4095):
        (root / f"link of {length}").symlink_to("t" * length)
    os.link(root / "link of 60", root / "same link", follow_symlinks=False)
    os.mknod(root / "null", 0o666 | 0o020000, os.makedev(1, 3))
    os.mknod(root / "disk", 0o660 | 0o060000, os.makedev(4095, 1048575))
    os.mkfifo(root / "pipe", 0o600)
    for name, time in (("deep", 5), ("one", -3_000_000_001), ("empty", 2**35 * 10**9 + 7)):
        os.utime(root / name, ns=(0, time))
    return root


@pytest.fixture
def attributes(many_things: Path) -> Path:
    """A folder with extended attributes."""
    path = many_things / "one"
    os.setxattr(path, "user.short", b"v")
    os.setxattr(path, "user.empty", b"")
    os.setxattr(path, "user." + "n" * 250, bytes(range(256)) * 7)
    os.setxattr(
        path, "security.capability", bytes.fromhex("01000002002000000000000000000000") + bytes(4)
    )
    os.setxattr(many_things / "deep", "trusted.some", b"\0\1\n")
    os.setxattr(many_things / "deep", "user.dir", b"x" * 300)
    os.setxattr(many_things / "link of 60", "trusted.on a link", b"yes", follow_symlinks=False)
    os.setxattr(many_things / "null", "security.on_a_device", b"yes")
    return many_things


def packed(folder: Path, tar: Path, *options: str) -> Path:
    """Let GNU tar pack a folder."""
    xattrs = ("--xattrs", "--xattrs-include=*")
    subprocess.run(
        ["tar", "-c", "-f", tar, "-C", folder, "--format=pax", *xattrs, *options, "."], check=True
    )
    return tar


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """A folder for images and mounts, where nothing may stay mounted."""
    folder = tmp_path / "mounts"
    folder.mkdir()
    yield folder
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()


def assert_same_tree(tar: Path, empty: Path) -> None:
    image_of(tar, empty / "image")
    expected = snapshot(unpack(tar, empty / "unpacked"))
    with erofs_mounted(empty / "image", [tar], empty / "mounted") as root:
        found = snapshot(root)
    assert found.keys() == expected.keys()
    assert {
        name: (found[name], expected[name]) for name in found if found[name] != expected[name]
    } == {}


def test_every_kind_of_file(attributes: Path, tmp_path: Path, empty: Path) -> None:
    assert_same_tree(packed(attributes, tmp_path / "t.tar"), empty)


def test_sparse_files(tmp_path: Path, empty: Path) -> None:
    folder = tmp_path / "sparse"
    folder.mkdir()
    for name, places, size in (
        ("middle", [1 << 20], 3 << 20),
        ("many", range(4096, 1 << 20, 12_288), 1 << 20),
        ("end", [(1 << 20) - 4096], 1 << 20),
        ("odd end", [8192], 12_000),
        ("hole", [], 100_000),
        ("big", [300 << 20], (300 << 20) + 1234),
    ):
        with (folder / name).open("wb") as file:
            for place in places:
                file.seek(place)
                file.write(name.encode() * 100)
            file.truncate(size)
    assert_same_tree(packed(folder, tmp_path / "t.tar", "--sparse"), empty)


def test_a_real_root_file_system(debian_rootfs_tar: Path, empty: Path) -> None:
    assert_same_tree(debian_rootfs_tar, empty)


def test_a_directory_of_70_000_names(tmp_path: Path, empty: Path) -> None:
    tar = stored(tmp_path / "tar", b"content")
    child = Inode(Kind.REG, size=7)
    names = {b"%x" % (number * 2_654_435_761 % 2**32): child for number in range(70_000)}
    with mounted(Inode(Kind.DIR, mode=0o700, children=names), [tar], empty) as root:
        assert sorted(os.listdir(os.fsencode(root))) == sorted(names)
        for name in list(names)[::1000]:
            assert (root / os.fsdecode(name)).read_bytes() == b"content"


@pytest.mark.parametrize("size", [(1 << 31) + 5, (1 << 32) + 5])
def test_large_files(size: int, tmp_path: Path, empty: Path) -> None:
    tar = tmp_path / "tar"
    with tar.open("wb") as file:
        for place in (512, 512 + (1 << 30), 512 + size - 5):
            file.seek(place)
            file.write(b"%5d" % (place % 99_999))
        file.truncate(size + 1024)
    inode = Inode(Kind.REG, size=size, data_offset=512)
    with (
        mounted(directory(large=inode), [tar], empty) as root,
        (root / "large").open("rb") as large,
    ):
        assert os.fstat(large.fileno()).st_size == size
        for place in (0, 1 << 30, size - 5):
            large.seek(place)
            assert large.read(5) == b"%5d" % ((place + 512) % 99_999)
        assert large.read() == b""


def test_a_file_begins_and_ends_anywhere_on_its_device(tmp_path: Path, empty: Path) -> None:
    content = random.Random(1).randbytes(40_000)
    tar = stored(tmp_path / "tar", content)
    children = {
        f"{start} {size}": Inode(Kind.REG, size=size, data_offset=start)
        for start in (0, 512, 3584, 4096, 8704)
        for size in (1, 511, 512, 513, 4096, 9000)
    }
    with mounted(directory(**children), [tar], empty) as root:
        for name, inode in children.items():
            start = inode.data_offset
            assert (root / name).read_bytes() == content[start : start + inode.size]


def test_holes_between_data_of_any_block_size(tmp_path: Path, empty: Path) -> None:
    content = random.Random(2).randbytes(200_000)
    tar = stored(tmp_path / "tar", content)
    children, expected = {}, {}
    for bits in range(9, 17):
        unit = 1 << bits
        extents = (Extent(unit, unit), Extent(3 * unit, 100))
        children[str(bits)] = Inode(
            Kind.REG, size=3 * unit + 100, data_offset=1024, extents=extents
        )
        data = content[1024:]
        expected[str(bits)] = bytes(unit) + data[:unit] + bytes(unit) + data[unit : unit + 100]
    with mounted(directory(**children), [tar], empty) as root:
        assert {name: (root / name).read_bytes() for name in children} == expected


def test_500_devices(tmp_path: Path, empty: Path) -> None:
    tars = [stored(tmp_path / f"{number}.tar", b"%d" % number) for number in range(500)]
    children = {
        str(number): Inode(Kind.REG, size=len(str(number)), device=number) for number in range(500)
    }
    with mounted(directory(**children), tars, empty) as root:
        assert all((root / name).read_text() == name for name in children)


def test_access_control_lists(tmp_path: Path, empty: Path) -> None:
    entries = ((0x01, 7, -1), (0x02, 4, 1234), (0x04, 5, -1), (0x10, 5, -1), (0x20, 0, -1))
    acl = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + mode.to_bytes(2, "little") + (who % 2**32).to_bytes(4, "little")
        for tag, mode, who in entries
    )
    names = ("system.posix_acl_access", "system.posix_acl_default")
    xattrs = tuple((name.encode(), acl) for name in names)
    with mounted(directory(d=directory()._replace(xattrs=xattrs)), [], empty) as root:
        assert [os.getxattr(root / "d", name) for name in names] == [acl, acl]


def test_without_devices(empty: Path) -> None:
    with mounted(directory(empty=Inode(Kind.REG), d=directory()), [], empty) as root:
        assert sorted(os.listdir(root)) == ["d", "empty"]
        assert (root / "empty").read_bytes() == b""


def test_a_missing_device_gives_errors_and_no_wrong_bytes(tmp_path: Path, empty: Path) -> None:
    tar = stored(tmp_path / "tar", b"content")
    write(directory(x=Inode(Kind.REG, size=7)), [tar], empty / "image")
    with (
        erofs_mounted(empty / "image", [], empty / "m") as root,
        pytest.raises(OSError, match="Input/output error"),
    ):
        (root / "x").read_bytes()


def test_a_wrong_count_of_devices_is_refused(tmp_path: Path, empty: Path) -> None:
    tar = stored(tmp_path / "tar", b"content")
    write(directory(), [tar], empty / "image")
    with (
        pytest.raises(MountFailed, match="Invalid argument"),
        erofs_mounted(empty / "image", [tar, tar], empty / "m"),
    ):
        pass


def test_a_damaged_superblock_is_refused(empty: Path) -> None:
    write(directory(), [], empty / "image")
    data = bytearray((empty / "image").read_bytes())
    data[1300] ^= 1
    (empty / "image").write_bytes(data)
    with (
        pytest.raises(MountFailed, match="Bad message"),
        erofs_mounted(empty / "image", [], empty / "m"),
    ):
        pass


def test_in_an_overlay_whiteouts_and_opaque_directories_hide(tmp_path: Path, empty: Path) -> None:
    tar = stored(tmp_path / "tar", b"content")
    file = Inode(Kind.REG, size=7)
    below = directory(
        gone=file, kept=file, opaque=directory(hidden=file), merged=directory(old=file)
    )
    above = directory(
        gone=whiteout(),
        opaque=opaque(directory(new=file)),
        merged=directory(old=whiteout(), new=file),
        fresh=holding_whiteouts(directory(never=whiteout(), new=file)),
    )
    for name in ("below", "above"):
        (empty / name).mkdir()
    with (
        mounted(below, [tar], empty / "below") as lower,
        mounted(above, [tar], empty / "above") as upper,
        overlay_mounted([upper, lower], empty / "both") as both,
    ):
        found = {
            os.path.relpath(path, both): sorted(directories + files)
            for path, directories, files in os.walk(both)
        }
    assert found == {
        ".": ["fresh", "kept", "merged", "opaque"],
        "fresh": ["new"],
        "merged": ["new"],
        "opaque": ["new"],
    }


def test_the_tar_may_lie_in_memory(tmp_path: Path, empty: Path) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", memory], check=True)
    try:
        tar = stored(memory / "tar", b"content")
        with mounted(directory(x=Inode(Kind.REG, size=7)), [tar], empty) as root:
            assert (root / "x").read_bytes() == b"content"
    finally:
        subprocess.run(["umount", memory], check=True)
