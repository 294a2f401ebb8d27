"""What is there already gives way, or stays, when a layer lists something at its place."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nacre.layers.entry import Kind
from tests.unit.layers.stacks import (
    file,
    folder,
    hardlink,
    special,
    symlink,
)
from tests.unit.layers.trees import apply, mode, paths


def test_a_directory_over_a_directory_keeps_what_is_in_it(tree: Path) -> None:
    apply(tree, folder("a", 0o777, mtime=1), file("a/b"))
    apply(tree, folder("a", 0o750, mtime=2))
    assert paths(tree) == ["a/", "a/b"]
    assert mode(tree / "a") == 0o750
    assert (tree / "a").stat().st_mtime == 2


def test_a_directory_over_a_directory_loses_the_old_attributes(tree: Path) -> None:
    apply(tree, folder("a", xattrs=((b"user.kept", b"1"), (b"user.old", b"2"))))
    apply(tree, folder("a", xattrs=((b"user.kept", b"3"),)))
    assert os.getxattr(tree / "a", "user.kept") == b"3"
    assert "user.old" not in os.listxattr(tree / "a")


OTHERS = {
    "file": [file("x", b"new")],
    "directory": [folder("x"), file("x/new")],
    "symlink": [symlink("x", "new")],
    "pipe": [special("x", Kind.FIFO)],
    "hard link": [file("new"), hardlink("x", "new")],
}


@pytest.mark.parametrize("old", OTHERS)
@pytest.mark.parametrize("new", OTHERS)
@pytest.mark.parametrize("together", [True, False], ids=["same layer", "next layer"])
def test_anything_over_anything_takes_its_place(
    tree: Path, old: str, new: str, *, together: bool
) -> None:
    alone = tree.parent / "alone"
    alone.mkdir()
    apply(alone, *OTHERS[new])
    if together:
        apply(tree, *OTHERS[old], *OTHERS[new])
    else:
        apply(tree, *OTHERS[old])
        apply(tree, *OTHERS[new])
    assert stat.S_IFMT((tree / "x").lstat().st_mode) == stat.S_IFMT((alone / "x").lstat().st_mode)
    assert set(paths(tree)) - {"new"} == set(paths(alone)) - {"new"}


def test_a_directory_does_not_keep_a_link_to_a_directory(tree: Path) -> None:
    apply(tree, folder("real"), symlink("x", "real"))
    apply(tree, folder("x"), file("x/a"))
    assert paths(tree) == ["real/", "x/", "x/a"]


def test_writing_a_file_does_not_write_to_its_other_names(tree: Path) -> None:
    apply(tree, file("a", b"old"), hardlink("b", "a"))
    apply(tree, file("a", b"new"))
    assert (tree / "b").read_bytes() == b"old"


def test_a_file_over_a_link_does_not_write_through_it(tree: Path) -> None:
    apply(tree, file("target", b"old"), symlink("x", "target"))
    apply(tree, file("x", b"new"))
    assert (tree / "target").read_bytes() == b"old"
    assert not (tree / "x").is_symlink()


def test_of_a_repeated_path_the_last_one_counts(tree: Path) -> None:
    apply(tree, file("a", b"1", mode=0o600), file("./a", b"2", mode=0o640))
    assert (tree / "a").read_bytes() == b"2"
    assert mode(tree / "a") == 0o640


def test_a_path_leads_elsewhere_once_a_link_took_its_place(tree: Path) -> None:
    apply(
        tree,
        *(folder("one"), folder("two"), folder("way"), file("way/a")),
        *(symlink("way", "one"), file("way/b"), symlink("way", "two"), file("way/c")),
    )
    assert paths(tree) == ["one/", "one/b", "two/", "two/c", "way"]
