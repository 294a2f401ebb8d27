"""Where a member goes: cleaned names, and parents that are missing, files or links."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.layers.apply import BadMember
from tests.unit.layers.stacks import (
    file,
    folder,
    symlink,
)
from tests.unit.layers.trees import apply, mode, paths


@pytest.mark.parametrize(
    "name", ["a/b", "./a/b", "/a/b", "//a//b", "../a/b", "a/../../a/b", "x/../a/./b"]
)
def test_names_are_cleaned_and_stay_inside(tree: Path, name: str) -> None:
    apply(tree, file(name, b"x"))
    assert paths(tree) == ["a/", "a/b"]
    assert paths(tree.parent) == ["tree/", "tree/a/", "tree/a/b"]


def test_missing_parents_are_made_as_implied_directories(tree: Path) -> None:
    apply(tree, file("a/b/c", mode=0o600))
    for parent in (tree / "a", tree / "a" / "b"):
        assert mode(parent) == 0o755
        assert parent.stat().st_mtime_ns == 0


def test_an_implied_directory_may_be_listed_later(tree: Path) -> None:
    apply(tree, file("a/b"), folder("a", 0o700, mtime=7))
    assert mode(tree / "a") == 0o700
    assert (tree / "a").stat().st_mtime == 7


def test_a_parent_that_is_a_file_gives_way(tree: Path) -> None:
    apply(tree, file("a/b"), file("a/b/c/d"))
    assert paths(tree) == ["a/", "a/b/", "a/b/c/", "a/b/c/d"]


def test_a_parent_that_is_a_link_is_followed_inside(tree: Path) -> None:
    apply(tree, folder("usr/bin"), symlink("bin", "/usr/bin"), file("bin/sh"))
    assert paths(tree) == ["bin", "usr/", "usr/bin/", "usr/bin/sh"]


def test_a_parent_that_is_a_dangling_link_is_made_where_it_leads(tree: Path) -> None:
    apply(tree, symlink("var", "/srv/data"), file("var/log/x"))
    assert paths(tree) == ["srv/", "srv/data/", "srv/data/log/", "srv/data/log/x", "var"]


def test_a_parent_behind_links_in_circles_is_refused(tree: Path) -> None:
    with pytest.raises(BadMember, match="'a/x' lies behind links that run in circles"):
        apply(tree, symlink("a", "b"), symlink("b", "a"), file("a/x"))


def test_attributes_of_parents_that_exist_stay(tree: Path) -> None:
    apply(tree, folder("a", 0o700, mtime=5))
    apply(tree, file("a/b/c"))
    assert mode(tree / "a") == 0o700
    assert (tree / "a").stat().st_mtime == 5
