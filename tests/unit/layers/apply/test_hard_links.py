"""Hard links find their file inside of the tree, in lower layers too, or are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.layers.apply import BadMember
from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import END_OF_ARCHIVE, header_blocks
from tests.unit.layers.stacks import (
    file,
    folder,
    hardlink,
    symlink,
)
from tests.unit.layers.trees import (
    apply,
    apply_tar,
    mode,
    paths,
    same,
)


def test_a_link_does_not_set_attributes(tree: Path) -> None:
    apply(tree, file("a", mode=0o600, mtime=5), hardlink("b", "a", mode=0o777, mtime=9))
    assert (mode(tree / "a"), (tree / "a").stat().st_mtime) == (0o600, 5)


def test_a_link_reaches_into_lower_layers(tree: Path) -> None:
    apply(tree, file("lower/a", b"x"))
    apply(tree, hardlink("b", "lower/a"))
    assert same(tree / "b", tree / "lower" / "a")


def test_a_link_to_a_symlink_links_the_symlink(tree: Path) -> None:
    # CVE-2021-32760
    apply(tree, file("target", mode=0o600), symlink("l", "target"), hardlink("h", "l", mode=0o777))
    assert (tree / "h").is_symlink()
    assert same(tree / "h", tree / "l")
    assert mode(tree / "target") == 0o600


def test_the_target_of_a_link_is_resolved_inside(tree: Path) -> None:
    apply(tree, file("etc/passwd"), symlink("s", "/etc"), hardlink("b", "../../s/passwd"))
    assert same(tree / "b", tree / "etc" / "passwd")


@pytest.mark.parametrize("target", ["nothing", "no/where", "b", "file/x"])
def test_a_link_to_nothing_is_refused(tree: Path, target: str) -> None:
    with pytest.raises(BadMember, match=r"'b' is a hard link to '.*', which does not exist"):
        apply(tree, file("file"), hardlink("b", target))


@pytest.mark.parametrize("target", ["dir", "/", "dir/.."])
def test_a_link_to_a_directory_is_refused(tree: Path, target: str) -> None:
    with pytest.raises(BadMember, match="which is a directory"):
        apply(tree, folder("dir"), hardlink("b", target))


def test_a_symlink_to_nothing_at_all_is_refused(tree: Path) -> None:
    blocks = header_blocks(Entry(b"b", Kind.SYMLINK, linkname=b"x"))
    block = blocks[:148] + b" " * 8 + blocks[156:157] + bytes(100) + blocks[257:]
    tar = block[:148] + b"%06o\0 " % sum(block) + block[156:] + END_OF_ARCHIVE
    with pytest.raises(BadMember, match="'b' is a link to nothing"):
        apply_tar(tree, tar)


def test_aufs_links_find_their_files(tree: Path) -> None:
    apply(
        tree,
        *(folder(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", b"x", mode=0o640)),
        *(hardlink("a", ".wh..wh.plnk/1.2"), hardlink("d/b", ".wh..wh.plnk/1.2")),
    )
    assert paths(tree) == ["a", "d/", "d/b"]
    assert (tree / "a").read_bytes() == b"x"
    assert mode(tree / "a") == 0o640
    assert same(tree / "a", tree / "d" / "b")


def test_aufs_metadata_is_passed_over(tree: Path) -> None:
    apply(tree, file(".wh..wh.aufs", b"x"), folder(".wh..wh.orph"), file(".wh..wh.orph/a"))
    assert paths(tree) == []
