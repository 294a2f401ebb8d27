"""The union of layers is the tree that umoci and GNU tar unpack."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nacre.layers.entry import Entry, Kind
from nacre.layers.toc import Toc, TocBuilder
from nacre.oci.digest import Digest
from nacre.testing.builders import an_image
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.integration.layer_apply import Listing, listing
from tests.integration.union_listing import listed
from tests.peers.tools import Tool, require_tool
from tests.unit.layers.stacks import (
    Member,
    Stack,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    special,
    symlink,
)

pytestmark = pytest.mark.root

OWNED = {"uid": 5, "gid": 6, "mtime": 7}
ROOT = folder("./", mtime=1)
BASE = [
    *(ROOT, folder("bin", mtime=2), file("bin/sh", b"sh", mode=0o4755, **OWNED)),
    *(hardlink("bin/bash", "bin/sh"), symlink("bin/dash", "sh"), folder("tmp", 0o1777, **OWNED)),
    *(folder("etc"), file("etc/a", b"a"), file("etc/b", b"b"), folder("etc/d"), file("etc/d/x")),
    *(symlink("lib", "usr/lib"), folder("usr"), folder("usr/lib"), file("usr/lib/libc", b"c")),
    special("null", Kind.CHR, mode=0o666, devmajor=1, devminor=3),
    file("attributes", xattrs=((b"user.a", b"1"), (b"user.b", b"2"))),
]
STACKS = {
    "one layer": [BASE],
    "a file over a file": [BASE, [ROOT, folder("etc"), file("etc/a", b"new", mode=0o600)]],
    "a directory over a directory": [BASE, [folder("tmp", 0o700, mtime=9)]],
    "a directory over a file": [BASE, [folder("etc"), folder("etc/a"), file("etc/a/x")]],
    "a file over a directory": [BASE, [folder("etc"), file("etc/d", b"now a file")]],
    "a symlink over a directory": [BASE, [folder("etc"), symlink("etc/d", "b")]],
    "a directory over a symlink": [BASE, [folder("lib"), file("lib/own", b"own")]],
    "a whiteout of a file": [BASE, [folder("etc"), gone("etc/a")]],
    "a whiteout of a directory": [BASE, [gone("etc")]],
    "a whiteout of a symlink": [BASE, [gone("lib")]],
    "a whiteout of a linked name": [BASE, [folder("bin"), gone("bin/sh")]],
    "an opaque directory": [BASE, [folder("etc"), opaque("etc"), file("etc/n", b"n")]],
    "a repeated layer": [BASE, [gone("etc")], BASE],
    "a parent that is a symlink": [BASE, [file("lib/new", b"new")]],
    "a whiteout behind a symlink": [BASE, [gone("lib/libc")]],
    "a hard link to a lower file": [BASE, [hardlink("etc-a", "etc/a")]],
    "a hard link to a symlink": [BASE, [hardlink("link", "lib")]],
    "a parent that keeps its attributes": [BASE, [file("tmp/x", b"x")]],
    "a whiteout before its own entry": [BASE, [folder("etc"), gone("etc/a"), file("etc/a", b"n")]],
    "a whiteout after its own entry": [BASE, [folder("etc"), file("etc/a", b"n"), gone("etc/a")]],
    "an opaque marker after entries": [BASE, [folder("etc"), file("etc/n"), opaque("etc")]],
    "a parent that is a dead symlink": [BASE, [symlink("dead", "no/where"), file("dead/x")]],
    "a name that goes up": [BASE, [file("../../up", b"u")]],
    "a changed linked file": [BASE, [folder("bin"), file("bin/sh", b"new")]],
}


def unpacked_by_umoci(umoci: Tool, stack: Stack, where: Path) -> Listing:
    with tempfile.TemporaryDirectory(dir=where) as name:
        folder = Path(name)
        copy(Shelf(an_image(stack.tars)), "", LayoutStore(folder / "layout"), "image")
        umoci("unpack", "--image", f"{folder / 'layout'}:image", folder / "bundle")
        return listing(os.fsencode(folder / "bundle" / "rootfs"))


def without_times_of_directories(found: Listing) -> Listing:
    # Where a layer does not list a directory that it changes, umoci leaves the time of unpacking.
    return {
        path: replace(seen, mtime=0) if seen.kind == "d" else seen for path, seen in found.items()
    }


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_is_what_umoci_unpacks(umoci: Tool, name: str, tmp_path: Path) -> None:
    stack = Stack(*STACKS[name])
    found = unpacked_by_umoci(umoci, stack, tmp_path)
    assert without_times_of_directories(listed(stack)) == without_times_of_directories(found)


@st.composite
def regular_stacks(draw: st.DrawFn) -> list[list[Member]]:
    """Return layers as tools write them: parents listed and first, no path twice."""
    layers: list[list[Member]] = []
    below: set[str] = set()
    for _ in range(draw(st.integers(1, 3))):
        layer = {"./": ROOT}
        files: list[str] = []
        for path in sorted(draw(st.sets(st.sampled_from(LEAVES), max_size=5))):
            if any(path.startswith(f"{other}/") for other in layer):
                continue
            for end in range(1, path.count("/") + 1):
                parent = "/".join(path.split("/")[:end])
                layer[parent] = folder(parent, draw(st.sampled_from([0o755, 0o1777])), mtime=end)
            layer[path] = _leaf(draw, path, files, removable=path in below)
        below |= set(layer)
        layers.append(list(layer.values()))
    return layers


LEAVES = ["a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "d/e/b", "f/a", "f/g/a"]


def _leaf(draw: st.DrawFn, path: str, files: list[str], *, removable: bool) -> Member:
    kind = draw(st.sampled_from("ffdslw" if removable else "ffdsl"))
    if kind == "w":
        return gone(path)
    if kind == "d":
        return folder(path, mtime=5, uid=4)
    if kind == "s":
        return symlink(path, draw(st.sampled_from(["a", "/d", "../b"])), mtime=6)
    if kind == "l" and files:
        return hardlink(path, draw(st.sampled_from(files)))
    files.append(path)
    return file(path, path.encode(), mtime=3, mode=draw(st.sampled_from([0o644, 0o4755])))


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(layers=regular_stacks())
def test_any_regular_stack_is_what_umoci_unpacks(
    umoci: Tool, layers: list[list[Member]], tmp_path: Path
) -> None:
    stack = Stack(*layers)
    found = unpacked_by_umoci(umoci, stack, tmp_path)
    assert without_times_of_directories(listed(stack)) == without_times_of_directories(found)


UPDATE = [
    *(ROOT, folder("bin", mtime=20), file("bin/sh", b"newer", mtime=21)),
    *(folder("etc", 0o700, mtime=22), file("etc/c", b"c"), symlink("etc/a", "c")),
    hardlink("etc/e", "etc/c"),
]


@pytest.mark.parametrize("layers", [[BASE], [BASE, UPDATE]], ids=["one", "two"])
def test_a_stack_is_what_gnu_tar_unpacks(layers: list[list[Member]], tmp_path: Path) -> None:
    stack = Stack(*layers)
    root = tmp_path / "root"
    root.mkdir()
    for tar in stack.tars:
        command = [require_tool("tar"), "-xp", "--numeric-owner", "--xattrs"]
        subprocess.run(
            [*command, "--xattrs-include=*", "-C", root], input=tar, check=True, timeout=60
        )
    assert listed(stack) == listing(os.fsencode(root))


LINE = re.compile(
    rb"(?P<kind>.)(?P<mode>\S{9}) (?P<uid>\d+)/(?P<gid>\d+) +(?P<size>[\d,]+) "
    rb"(?P<time>\S+ \S+) (?P<rest>.*)"
)


def test_the_table_of_a_debian_is_what_gnu_tar_lists(debian_rootfs_tar: Path) -> None:
    command = [require_tool("tar"), "-tv", "--numeric-owner", "--full-time", "--utc"]
    options = ["--quoting-style=literal", "-f", str(debian_rootfs_tar)]
    done = subprocess.run([*command, *options], check=True, capture_output=True, timeout=240)
    toc = table_of(debian_rootfs_tar)
    lines = done.stdout.splitlines()
    assert len(lines) == len(toc) > 1000
    for line, entry in zip(lines, toc, strict=True):
        assert line_of(line) == expected(entry)


def table_of(tar: Path) -> Toc:
    builder = TocBuilder()
    with tar.open("rb") as source:
        while piece := source.read(1 << 20):
            builder.feed(piece)
    return builder.finish(Digest.of(b""))


LETTERS = {Kind.REG: b"-", Kind.LINK: b"h", Kind.SYMLINK: b"l", Kind.DIR: b"d", Kind.CHR: b"c"}
Line = tuple[bytes, bytes, int, int, int, bytes, bytes, bytes]


def line_of(line: bytes) -> Line:
    match = LINE.fullmatch(line)
    assert match is not None, line
    kind = match["kind"]
    words = {b"l": b" -> ", b"h": b" link to "}
    name, _, target = match["rest"].partition(words[kind]) if kind in words else (
        match["rest"], b"", b""
    )  # fmt: skip
    path = name.removeprefix(b"./").rstrip(b"/")
    time = datetime.fromisoformat(match["time"].decode()[:19]).replace(tzinfo=UTC)
    return (
        match["mode"],
        kind,
        int(match["uid"]),
        int(match["gid"]),
        int(time.timestamp()),
        match["size"],
        path,
        target,
    )


def expected(entry: Entry) -> Line:
    size = b"%d,%d" % (entry.devmajor, entry.devminor) if entry.kind is Kind.CHR else b"%d" % (
        entry.size
    )  # fmt: skip
    return (
        stat.filemode(entry.mode)[1:].encode(),
        LETTERS[entry.kind],
        entry.uid,
        entry.gid,
        entry.mtime,
        size,
        entry.name,
        entry.linkname,
    )
