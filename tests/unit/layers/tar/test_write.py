from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import tarfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import END_OF_ARCHIVE, Scanner, header_blocks, padding, scan, write_entry
from nacre.layers.tar.write import CannotWrite

parts = st.one_of(
    st.binary(min_size=1, max_size=120),
    st.text("abc.é☃", min_size=1, max_size=120).map(str.encode),
).filter(lambda part: b"/" not in part and b"\0" not in part)
names = st.lists(parts, min_size=1, max_size=5).map(b"/".join)
numbers = st.one_of(st.integers(0, 0o7777777), st.integers(0, (1 << 32) - 1))
# Python's tarfile ends a PAX attribute's key at "=", as it must.
xattr_names = st.text("abc.é", min_size=1, max_size=20).map(lambda name: b"user." + name.encode())


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(Kind))
    device = kind in (Kind.CHR, Kind.BLK)
    return Entry(
        draw(names),
        kind,
        mode=draw(st.integers(0, 0o7777)),
        uid=draw(numbers),
        gid=draw(numbers),
        size=draw(st.integers(0, 1 << 50)) if kind is Kind.REG else 0,
        mtime=draw(st.integers(-(1 << 40), 1 << 40)),
        mtime_nsec=draw(st.integers(0, 10**9 - 1)),
        linkname=draw(names) if kind in (Kind.LINK, Kind.SYMLINK) else b"",
        devmajor=draw(st.integers(0, 4095)) if device else 0,
        devminor=draw(st.integers(0, 1048575)) if device else 0,
        xattrs=tuple(sorted(draw(st.dictionaries(xattr_names, st.binary(max_size=50))).items())),
    )


def as_read(entry: Entry, blocks: bytes) -> Entry:
    name = entry.name + (b"/" if entry.kind is Kind.DIR else b"")
    return entry._replace(name=name, mtime_nsec=0, data_offset=len(blocks), stored_size=entry.size)


@given(entries())
@settings(deadline=None)
def test_what_is_written_is_read(entry: Entry) -> None:
    blocks = header_blocks(entry)
    assert len(blocks) % 512 == 0
    (found,) = Scanner().feed(blocks)
    assert found == as_read(entry, blocks)


@given(entries())
@settings(deadline=None)
def test_what_is_written_is_what_tarfile_reads(entry: Entry) -> None:
    with tarfile.open(
        fileobj=BytesIO(header_blocks(entry)), mode="r:", errorlevel=0, encoding="utf-8"
    ) as archive:
        found = archive.next()
    assert found is not None
    assert os.fsencode(found.name) == entry.name
    assert found.type == entry.kind.value
    assert (found.mode, found.uid, found.gid) == (entry.mode, entry.uid, entry.gid)
    assert (found.size, found.mtime) == (entry.size, entry.mtime)
    assert os.fsencode(found.linkname) == entry.linkname
    assert (found.devmajor, found.devminor) == (entry.devmajor, entry.devminor)
    assert (found.uname, found.gname) == ("", "")
    assert entry.xattrs == tuple(
        sorted(
            (os.fsencode(key)[13:], os.fsencode(value))
            for key, value in found.pax_headers.items()
            if key.startswith("SCHILY.xattr.")
        )
    )


def archive(members: Iterable[tuple[Entry, bytes]]) -> bytes:
    out = BytesIO()
    for entry, body in members:
        write_entry(out, entry, BytesIO(body))
    out.write(END_OF_ARCHIVE)
    return out.getvalue()


def test_gnu_tar_extracts_what_is_written(tmp_path: Path) -> None:
    long = b"/".join([b"d" * 120] * 3)
    members = [
        (Entry(b"dir", Kind.DIR, mode=0o750, mtime=1000), b""),
        (Entry(b"dir/file", Kind.REG, mode=0o640, size=700, mtime=-5), b"x" * 700),
        (Entry(b"dir/hard", Kind.LINK, linkname=b"dir/file"), b""),
        (Entry(b"dir/soft", Kind.SYMLINK, linkname=b"t" * 300), b""),
        (Entry("dir/été\n☃".encode(), Kind.REG, size=1), b"u"),
        (Entry(b"dir/not utf-8 \xff", Kind.REG, size=0), b""),
        (Entry(b"fifo", Kind.FIFO), b""),
        (Entry(long, Kind.REG, size=512), b"l" * 512),
    ]
    command = ["tar", "-x", "-p", "--no-same-owner", "-C", os.fspath(tmp_path)]
    subprocess.run(command, input=archive(members), check=True, capture_output=True)
    root = os.fsencode(tmp_path)
    file = os.stat(root + b"/dir/file")
    assert (stat.S_IMODE(file.st_mode), file.st_mtime, file.st_nlink) == (0o640, -5, 2)
    assert stat.S_IMODE(os.stat(root + b"/dir").st_mode) == 0o750
    assert os.readlink(root + b"/dir/soft") == b"t" * 300
    assert stat.S_ISFIFO(os.stat(root + b"/fifo").st_mode)
    for entry, body in members:
        if entry.kind is Kind.REG:
            assert Path(os.fsdecode(root + b"/" + entry.name)).read_bytes() == body


def typeflags(blocks: bytes) -> bytes:
    # Only sound for headers whose extended header has one block of records.
    return blocks[156:157] + blocks[1024 + 156 : 1024 + 157]


@pytest.mark.parametrize(
    "entry",
    [
        Entry(b"n" * 100, Kind.REG, size=0o77777777777, mtime=0o77777777777),
        Entry(b"p" * 155 + b"/" + b"n" * 100, Kind.REG),
        Entry(b"p" * 99 + b"/" + b"n" * 99, Kind.DIR),
        Entry(b"a", Kind.SYMLINK, linkname=b"t" * 100, mtime_nsec=5),
        Entry(b"a", Kind.REG, uid=0o7777777, gid=0o7777777),
    ],
)
def test_ustar_is_used_where_it_fits(entry: Entry) -> None:
    assert len(header_blocks(entry)) == 512


@pytest.mark.parametrize(
    "entry",
    [
        Entry(b"n" * 101, Kind.REG),
        Entry(b"n" * 100, Kind.DIR),
        Entry(b"p" * 156 + b"/n", Kind.REG),
        Entry(b"p/" + b"n" * 101, Kind.REG),
        Entry(b"/" + b"n" * 100, Kind.REG),
        Entry("é".encode(), Kind.REG),
        Entry(b"a", Kind.SYMLINK, linkname=b"t" * 101),
        Entry(b"a", Kind.LINK, linkname=b"\xff"),
        Entry(b"a", Kind.REG, uid=0o10000000),
        Entry(b"a", Kind.REG, gid=0o10000000),
        Entry(b"a", Kind.REG, size=0o100000000000),
        Entry(b"a", Kind.REG, mtime=-1),
        Entry(b"a", Kind.REG, mtime=0o100000000000),
        Entry(b"a", Kind.REG, xattrs=((b"user.a", b""),)),
    ],
)
def test_pax_is_used_where_ustar_does_not_fit(entry: Entry) -> None:
    blocks = header_blocks(entry)
    assert typeflags(blocks) == b"x" + entry.kind.value
    assert blocks[1024:].isascii()


def test_the_same_entry_gives_the_same_bytes() -> None:
    entry = Entry(
        "usr/share/☃".encode(),
        Kind.REG,
        uid=1 << 24,
        size=5,
        mtime=1_700_000_000,
        xattrs=((b"user.b", b"2"), (b"user.a", b"1")),
    )
    swapped = entry._replace(xattrs=entry.xattrs[::-1], mtime_nsec=7)
    assert header_blocks(entry) == header_blocks(swapped)
    # Fixed once and for all: a layer's diff ID depends on it.
    digest = hashlib.sha256(header_blocks(entry)).hexdigest()
    assert digest == "8323f60525613805896c759fa5616bc0e2293a9dbafcdbb7dd6d14ff610d85e7"


def test_an_extended_header_has_no_time_and_no_owner() -> None:
    blocks = header_blocks(Entry(b"a/" + b"n" * 200, Kind.REG, uid=5, mtime=9))
    header = tarfile.TarInfo.frombuf(blocks[:512], "utf-8", "strict")
    assert (header.name, header.mode) == ("PaxHeaders.0/" + "n" * 87, 0o644)
    assert (header.uid, header.gid, header.mtime) == (0, 0, 0)


def test_times_are_cut_to_seconds_downwards() -> None:
    (found,) = scan(header_blocks(Entry(b"a", Kind.REG, mtime=-2, mtime_nsec=500_000_000)))
    assert (found.mtime, found.mtime_nsec) == (-2, 0)


def test_an_xattr_name_with_an_equal_sign_survives() -> None:
    xattrs = ((b"user.a=b", b"\0\xff"),)
    (found,) = scan(header_blocks(Entry(b"a", Kind.REG, xattrs=xattrs)))
    assert found.xattrs == xattrs


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (Entry(b"", Kind.REG), "empty"),
        (Entry(b"a\0b", Kind.REG), "NUL"),
        (Entry(b"a", Kind.SYMLINK, linkname=b"t\0"), "NUL"),
        (Entry(b"a", Kind.SYMLINK), "link to nothing"),
        (Entry(b"a", Kind.LINK), "link to nothing"),
        (Entry(b"a/", Kind.REG), "slash"),
        (Entry(b"a", Kind.REG, size=-1), "negative"),
        (Entry(b"a", Kind.REG, uid=-1), "negative"),
        (Entry(b"a", Kind.CHR, devminor=-1), "negative"),
        (Entry(b"a", Kind.CHR, devmajor=1 << 21), "device number"),
        (Entry(b"a", Kind.REG, xattrs=((b"", b"x"),)), "attribute"),
        (Entry(b"a", Kind.REG, xattrs=((b"a\0", b"x"),)), "attribute"),
    ],
)
def test_what_a_tar_cannot_hold_is_refused(entry: Entry, problem: str) -> None:
    with pytest.raises(CannotWrite, match=problem) as caught:
        header_blocks(entry)
    assert caught.value.name == entry.name


@pytest.mark.parametrize(("size", "zeros"), [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511)])
def test_bodies_are_padded_to_whole_blocks(size: int, zeros: int) -> None:
    assert padding(size) == bytes(zeros)
    out = BytesIO()
    write_entry(out, Entry(b"a", Kind.REG, size=size), BytesIO(b"x" * size))
    assert out.getvalue()[512:] == b"x" * size + bytes(zeros)


def test_a_body_is_read_no_further_than_the_size() -> None:
    body = BytesIO(b"abcdef")
    write_entry(BytesIO(), Entry(b"a", Kind.REG, size=3), body)
    assert body.read() == b"def"


@pytest.mark.parametrize("body", [None, BytesIO(b"ab")])
def test_a_body_shorter_than_the_size_is_an_error(body: BytesIO | None) -> None:
    with pytest.raises(CannotWrite, match="before its size"):
        write_entry(BytesIO(), Entry(b"a", Kind.REG, size=3), body)


def test_what_is_no_file_has_no_body() -> None:
    out = BytesIO()
    write_entry(out, Entry(b"a", Kind.DIR, size=5))
    assert len(out.getvalue()) == 512


def test_an_empty_layer_is_1024_zeros() -> None:
    digest = hashlib.sha256(END_OF_ARCHIVE).hexdigest()
    assert digest == "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
