"""Modes, times, owners and extended attributes of what a layer lists."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from nacre.layers.apply import BadMember
from nacre.layers.apply.attributes import Attributes, Losses
from nacre.layers.entry import Entry, Kind
from nacre.layers.ownership import RECORDED
from nacre.layers.tar import END_OF_ARCHIVE
from nacre.layers.tar.pax import format_records
from tests.unit.layers.stacks import (
    Member,
    file,
    folder,
    hardlink,
    special,
    symlink,
    tar_of,
)
from tests.unit.layers.tar.headers import special as raw_member
from tests.unit.layers.trees import apply, apply_tar, mode, ownership, paths, unlocked


@pytest.mark.parametrize("bits", [0o000, 0o400, 0o755, 0o1777, 0o2755, 0o4755, 0o7777])
def test_all_twelve_bits_are_set_whatever_the_umask(tree: Path, bits: int) -> None:
    old = os.umask(0o077)
    try:
        apply(tree, file("file", mode=bits), folder("dir", bits), file("dir/x"))
        assert mode(tree / "file") == bits
        assert mode(tree / "dir") == bits
    finally:
        os.umask(old)
        unlocked(tree)


@pytest.mark.parametrize("mtime", [0, -1, -(10**9), 2**31, 2**33])
def test_times_are_set_with_nanoseconds(tree: Path, mtime: int) -> None:
    members = [
        file("file", b"x", mtime=mtime, mtime_nsec=123_456_789),
        folder("dir", mtime=mtime, mtime_nsec=123_456_789),
        symlink("link", "x", mtime=mtime, mtime_nsec=123_456_789),
        special("pipe", Kind.FIFO, mtime=mtime, mtime_nsec=123_456_789),
    ]
    feed_entries(tree, members)
    expected = mtime * 10**9 + 123_456_789
    for name in ("file", "dir", "link", "pipe"):
        assert (tree / name).lstat().st_mtime_ns == expected


def feed_entries(tree: Path, members: list[Member]) -> None:
    # The writer drops nanoseconds, so they are put in front as an extended header.
    tar = b""
    for member in members:
        time = b"%d" % member.entry.mtime
        if member.entry.mtime < 0:
            # -1.9 s is second -2 and 0.1 more.
            total = -(member.entry.mtime * 10**9 + member.entry.mtime_nsec)
            time = b"-%d.%09d" % divmod(total, 10**9)
        else:
            time += b".%09d" % member.entry.mtime_nsec
        tar += raw_member(b"x", format_records([(b"mtime", time)]))
        plain = Member(member.entry._replace(mtime=0), member.content)
        tar += tar_of([plain])[: -len(END_OF_ARCHIVE)]
    apply_tar(tree, tar + END_OF_ARCHIVE)


def test_times_beyond_all_file_systems_are_as_far_as_they_go(tree: Path) -> None:
    late, early = (1 << 63) - 1, -(1 << 62)
    apply(tree, file("late", mtime=late), file("early", mtime=early))
    assert (tree / "late").stat().st_mtime > 2**32
    assert (tree / "early").stat().st_mtime < 0


def test_times_of_directories_are_set_after_their_children(tree: Path) -> None:
    apply(
        tree, folder("a", mtime=5), folder("a/b", mtime=6), file("a/b/c"), hardlink("a/d", "a/b/c")
    )
    assert (tree / "a").stat().st_mtime == 5
    assert (tree / "a" / "b").stat().st_mtime == 6


def test_extended_attributes_are_set_before_modes_forbid_it(tree: Path) -> None:
    value = b"with \0 and = in it"
    apply(
        tree,
        file("file", b"x", mode=0o400, xattrs=((b"user.a", value), (b"user.empty", b""))),
        folder("dir", 0o500, xattrs=((b"user.a", value),)),
    )
    assert os.getxattr(tree / "file", "user.a") == value
    assert os.getxattr(tree / "file", "user.empty") == b""
    assert os.getxattr(tree / "dir", "user.a") == value


def test_attributes_that_a_kind_cannot_have_are_counted_as_lost(tree: Path) -> None:
    given = {"xattrs": ((b"user.a", b"1"),)}
    applied = apply(tree, symlink("one", "x", **given), special("two", Kind.FIFO, **given))
    assert applied.losses == (("xattr user.a", 2, b"one"),)
    assert paths(tree) == ["one", "two"]


def test_attributes_that_no_file_system_has_are_counted_as_lost(tree: Path) -> None:
    applied = apply(tree, file("a", xattrs=((b"nonsense.x", b"1"),)))
    assert [loss.what for loss in applied.losses] == ["xattr nonsense.x"]


def test_attributes_of_the_machine_they_were_set_on_are_passed_over(tree: Path) -> None:
    applied = apply(
        tree, file("a", xattrs=((b"security.selinux", b"x"), (b"system.nfs4_acl", b"y")))
    )
    assert applied.losses == ()
    assert "security.selinux" not in os.listxattr(tree / "a")


def test_without_privileges_owners_are_recorded(tree: Path) -> None:
    members = [
        file("a", uid=1000, gid=5),
        folder("d", uid=7),
        file("root"),
        symlink("s", "x", uid=9),
    ]
    apply(tree, *members, ownership=RECORDED)
    assert os.getxattr(tree / "a", "user.rootlesscontainers") == b"\x08\xe8\x07\x10\x05"
    assert os.getxattr(tree / "d", "user.rootlesscontainers") == b"\x08\x07"
    assert os.listxattr(tree / "root") == []
    assert (tree / "a").stat().st_uid == os.geteuid()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"user." + b"n" * 251, b"1"),
        (b"user.", b"1"),
        (b"user.nul\0", b"1"),
        (b"user.large", bytes(65537)),
        (b"security.capability", b"bad"),
        (b"system.posix_acl_access", b"bad"),
    ],
)
def test_attributes_that_linux_refuses_are_counted_as_lost(
    tree: Path, name: bytes, value: bytes
) -> None:
    xattrs = tuple(sorted({name: value, b"user.z": b"1"}.items()))
    losses = Losses()
    attributes = Attributes(ownership(), None, losses)
    with (tree / "a").open("wb") as made:
        attributes.set_file(made.fileno(), Entry(b"a", Kind.REG, xattrs=xattrs), b"a")
    assert [loss.members for loss in losses] == [1]
    assert os.listxattr(tree / "a") == ["user.z"]


def test_an_attribute_too_large_for_the_file_system_is_told(tree: Path) -> None:
    value = bytes(60_000)
    (tree / "probe").touch()
    with suppress(OSError):
        os.setxattr(tree / "probe", "user.large", value)
        pytest.skip("this file system takes attributes of any size")
    with pytest.raises(BadMember, match=r"'d/a' has an extended attribute 'user\.large' of 60000"):
        apply(tree, folder("d"), file("d/a", xattrs=((b"user.large", value),)))
