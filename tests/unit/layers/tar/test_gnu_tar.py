"""What GNU tar writes is read as GNU tar itself and tarfile read it."""

from __future__ import annotations

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import scan

Seen = tuple[bytes, bytes, int, int, int, int, int, bytes, int]


def seen(entry: Entry) -> Seen:
    return (
        entry.name.rstrip(b"/"),
        entry.kind.value,
        entry.mode,
        entry.uid,
        entry.gid,
        entry.size,
        entry.mtime,
        entry.linkname,
        entry.data_offset,
    )


def seen_by_tarfile(data: bytes) -> list[Seen]:
    with tarfile.open(fileobj=BytesIO(data), mode="r:") as archive:
        return [
            (
                os.fsencode(member.name),
                b"0" if member.isreg() else member.type,
                member.mode & 0o7777,
                member.uid,
                member.gid,
                member.size if member.isreg() else 0,
                int(member.mtime // 1),
                os.fsencode(member.linkname) if member.issym() or member.islnk() else b"",
                member.offset_data,
            )
            for member in archive
        ]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for size in (0, 1, 511, 512, 513, 70_000):
        (root / f"size{size}").write_bytes(b"x" * size)
    deep = root / "directory" / "below"
    deep.mkdir(parents=True)
    (deep / "été ☃").write_bytes(b"unicode")
    os.symlink("../size1", root / "directory" / "symlink")
    os.link(root / "size513", root / "directory" / "hard link")
    os.mkfifo(root / "fifo", 0o600)
    (root / "suid").write_bytes(b"")
    (root / "suid").chmod(0o6755)
    for time, name in ((0, "size0"), (1_700_000_000.25, "size1"), (2**33, "size511")):
        os.utime(root / name, (time, time))
    return root


@pytest.fixture(scope="module")
def long_tree(tree: Path) -> Path:
    folder = tree / ("d" * 90) / ("e" * 90) / ("f" * 90)
    folder.mkdir(parents=True)
    (folder / ("g" * 200)).write_bytes(b"long")
    os.symlink("t" * 300, folder / "long target")
    os.link(folder / ("g" * 200), folder / "hard")
    return tree


def gnu_tar(tree: Path, *options: str) -> bytes:
    command = ["tar", "-c", "-C", os.fspath(tree), "--sort=name", *options, "."]
    return subprocess.run(command, check=True, capture_output=True).stdout


# What GNU tar writes, as tarfile and GNU tar itself see it.


@pytest.mark.parametrize("form", ["v7", "ustar", "oldgnu", "gnu", "pax", "posix"])
def test_gnu_tar_formats_are_read(tree: Path, form: str) -> None:
    skip = ["--exclude=" + "d" * 90] + (["--exclude=fifo"] if form == "v7" else [])
    if form in ("v7", "ustar"):
        skip.append("--exclude=size511")  # its time does not fit
    data = gnu_tar(tree, f"--format={form}", *skip)
    assert len(scan(data)) >= 9
    assert [seen(entry) for entry in scan(data)] == seen_by_tarfile(data)


@pytest.mark.parametrize("form", ["oldgnu", "gnu", "pax", "posix"])
def test_long_names_and_links_of_gnu_tar_are_read(long_tree: Path, form: str) -> None:
    data = gnu_tar(long_tree, f"--format={form}")
    entries = scan(data)
    assert any(len(entry.name) > 400 for entry in entries)
    assert any(len(entry.linkname) == 300 for entry in entries)
    assert [seen(entry) for entry in entries] == seen_by_tarfile(data)
    listed = subprocess.run(
        ["tar", "-t", "--quoting-style=literal"], input=data, check=True, capture_output=True
    )
    assert [entry.name for entry in entries] == listed.stdout.splitlines()


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_large_and_negative_numbers_of_gnu_tar_are_read(tree: Path, form: str) -> None:
    owner = "4294967294" if form == "gnu" else "3000000"
    options = [f"--owner=:{owner}", f"--group=:{owner}", "--mtime=@-86401"]
    data = gnu_tar(tree, f"--format={form}", "--exclude=" + "d" * 90, *options)
    entries = scan(data)
    assert {(e.uid, e.gid, e.mtime) for e in entries} == {(int(owner), int(owner), -86401)}
    assert [seen(entry) for entry in entries] == seen_by_tarfile(data)


def test_xattrs_of_gnu_tar_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    try:
        os.setxattr(tmp_path / "file", "user.empty", b"")
        os.setxattr(tmp_path / "file", "user.raw", b"a=\0\n\xff")
    except OSError:
        pytest.skip("no user xattrs here")
    data = gnu_tar(tmp_path, "--format=pax", "--xattrs", "--xattrs-include=user.*")
    found = {entry.name: entry.xattrs for entry in scan(data)}
    assert found[b"./file"] == ((b"user.empty", b""), (b"user.raw", b"a=\0\n\xff"))


def test_sub_second_times_keep_their_nanoseconds(tree: Path) -> None:
    data = gnu_tar(tree, "--format=pax")
    times = {entry.name: (entry.mtime, entry.mtime_nsec) for entry in scan(data)}
    assert times[b"./size1"] == (1_700_000_000, 250_000_000)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_devices_have_their_numbers(form: int) -> None:
    target = BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for name, kind in (("null", tarfile.CHRTYPE), ("sda", tarfile.BLKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.devmajor, member.devminor = kind, 259, 1_048_575
            archive.addfile(member)
    null, sda = scan(target.getvalue())
    assert (null.kind, null.devmajor, null.devminor) == (Kind.CHR, 259, 1_048_575)
    assert (sda.kind, sda.devmajor, sda.devminor) == (Kind.BLK, 259, 1_048_575)
