"""The kernel's list of mounts is read as it is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nacre.storage.mountinfo import Mount, parse_mounts
from nacre.storage.mounting import mounts

LINE = b"36 35 98:7 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue\n"


def test_every_field() -> None:
    assert parse_mounts(LINE) == [
        Mount(
            id=36,
            parent=35,
            device=os.makedev(98, 7),
            root=Path("/mnt1"),
            point=Path("/mnt2"),
            kind="ext3",
            source="/dev/root",
            options=frozenset({"rw", "noatime", "errors=continue"}),
        )
    ]


def test_without_optional_fields() -> None:
    (mount,) = parse_mounts(b"22 27 0:21 / /proc rw - proc proc rw\n")
    assert (mount.kind, mount.point) == ("proc", Path("/proc"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb"/a\040b", "/a b"),
        (rb"/a\011b\012c", "/a\tb\nc"),
        (rb"/a\134b", "/a\\b"),
        (rb"/a\134040", "/a\\040"),
        (rb"/a\043b,c:d", "/a#b,c:d"),
        ("/\N{SNOWMAN}".encode(), "/\N{SNOWMAN}"),
        (b"/\xff", os.fsdecode(b"/\xff")),
    ],
)
def test_characters_that_would_end_a_field(written: bytes, meant: str) -> None:
    (mount,) = parse_mounts(b"1 2 0:5 / %s rw - tmpfs %s rw\n" % (written, written))
    assert (str(mount.point), mount.source) == (meant, meant)


def test_a_dash_that_is_no_separator() -> None:
    (mount,) = parse_mounts(b"1 2 0:5 / /a-b rw - fuse.x-y some-thing rw\n")
    assert (str(mount.point), mount.kind, mount.source) == ("/a-b", "fuse.x-y", "some-thing")


def test_an_empty_source() -> None:
    (mount,) = parse_mounts(b"1 2 0:5 / /a rw - tmpfs  rw\n")
    assert (mount.source, mount.options) == ("", frozenset({"rw"}))


@pytest.mark.parametrize("line", [b"", b"nonsense", b"1 2 0:5 / /a rw", b"1 2 0:5 - a b c"])
def test_what_is_no_mount_is_left_out(line: bytes) -> None:
    assert len(parse_mounts(line + b"\n" + LINE)) == 1


def test_this_machine_has_a_root() -> None:
    (root,) = [mount for mount in mounts() if mount.point == Path("/")][-1:]
    assert root.device == os.stat("/").st_dev
