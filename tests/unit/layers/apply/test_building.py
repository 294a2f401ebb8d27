from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nacre.layers.apply import BadMember, TreeBuilder
from nacre.layers.entry import Entry, Extent, Kind
from nacre.layers.rootpath import Root
from nacre.layers.whiteout import Overlay
from tests.unit.layers.trees import is_whiteout, mode, ownership, paths

FOLDER = Entry(b"", Kind.DIR, 0o555, mtime=5, mtime_nsec=7)


def a_file(content: bytes, **attributes: Any) -> Entry:
    size = len(content)
    return Entry(b"elsewhere", Kind.REG, size=size, stored_size=size)._replace(**attributes)


@pytest.fixture
def builder(tree: Path) -> Iterator[TreeBuilder]:
    with (
        Root.open(tree) as root,
        TreeBuilder(root, overlay=Overlay.USER, ownership=ownership()) as builder,
    ):
        yield builder


def test_everything_has_the_attributes_it_is_given(builder: TreeBuilder, tree: Path) -> None:
    builder.make(b"", FOLDER)
    builder.make(b"d", FOLDER)
    builder.make(b"d/f", a_file(b"abc", mode=0o640, mtime=9), io.BytesIO(b"abcdef"))
    builder.make(b"d/s", Entry(b"", Kind.SYMLINK, 0o777, linkname=b"../x", mtime=3))
    builder.make(b"d/p", Entry(b"", Kind.FIFO, 0o622))
    builder.link(b"d/g", b"d/f")
    assert builder.finish() == ()
    assert paths(tree) == ["d/", "d/f", "d/g", "d/p", "d/s"]
    assert [mode(tree / name) for name in ("", "d", "d/f", "d/p")] == [0o555, 0o555, 0o640, 0o622]
    assert tree.stat().st_mtime_ns == (tree / "d").stat().st_mtime_ns == 5_000_000_007
    assert (tree / "d" / "g").read_bytes() == b"abc"
    assert (tree / "d" / "g").samefile(tree / "d" / "f")


def test_of_a_stream_only_what_belongs_to_a_file_is_read(builder: TreeBuilder) -> None:
    stream = io.BytesIO(b"onetwo")
    builder.make(b"a", a_file(b"one"), stream)
    assert stream.read() == b"two"


def test_a_file_that_ends_early_is_an_error(builder: TreeBuilder) -> None:
    with pytest.raises(BadMember, match="'a' ends 2 bytes before its size"):
        builder.make(b"a", a_file(b"abc"), io.BytesIO(b"a"))
    with pytest.raises(BadMember, match="'b' ends 3 bytes"):
        builder.make(b"b", a_file(b"abc"))


def test_sparse_files_keep_their_holes(builder: TreeBuilder, tree: Path) -> None:
    entry = a_file(b"abc", size=1 << 20, sparse=(Extent(500_000, 2), Extent(900_000, 1)))
    builder.make(b"a", entry, io.BytesIO(b"abc"))
    content = (tree / "a").read_bytes()
    assert len(content) == 1 << 20
    assert (content[500_000:500_002], content[900_000:900_001]) == (b"ab", b"c")
    assert (tree / "a").stat().st_blocks * 512 < 1 << 18


def test_somebody_else_may_write_the_content(builder: TreeBuilder, tree: Path) -> None:
    builder.make_file(b"a", a_file(b"", mode=0o400), lambda fd: os.truncate(fd, 100))
    assert (tree / "a").stat().st_size == 100
    assert mode(tree / "a") == 0o400


def test_removals_are_written_down(builder: TreeBuilder, tree: Path) -> None:
    builder.make(b"d", FOLDER)
    builder.make(b"o", FOLDER)
    builder.remove(b"d/gone")
    builder.hide(b"o")
    builder.finish()
    assert is_whiteout(tree / "d" / "gone")
    assert os.getxattr(tree / "o", "user.overlay.opaque") == b"y"


def test_a_plain_tree_has_no_removals(tree: Path) -> None:
    with Root.open(tree) as root, TreeBuilder(root, ownership=ownership()) as builder:
        builder.remove(b"gone")
        builder.hide(b"")
        builder.finish()
    assert paths(tree) == []
    assert not os.listxattr(tree)


def test_what_a_file_system_cannot_hold_is_an_error(builder: TreeBuilder) -> None:
    with pytest.raises(BadMember, match="cannot be made here"):
        builder.make(b"x" * 300, FOLDER)
    with pytest.raises(BadMember, match="is a hard link to 'missing', which does not exist"):
        builder.link(b"a", b"missing")
