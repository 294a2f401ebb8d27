from __future__ import annotations

from pathlib import Path

import pytest

from nacre.images.difference import Difference, difference
from nacre.layers.entry import Kind
from tests.unit.images.shelves import tree_of
from tests.unit.layers.stacks import Member, file, folder, gone, hardlink, special, symlink


def diff(tmp_path: Path, before: list[Member], after: list[Member]) -> list[Difference]:
    return difference(tree_of(tmp_path / "a", before), tree_of(tmp_path / "b", after))


def letters(found: list[Difference]) -> str:
    return " ".join(f"{one.change}{one.path}" for one in found)


def test_an_image_does_not_differ_from_itself(tmp_path: Path) -> None:
    layer = [folder("d"), file("d/x", b"1"), symlink("l", "d"), hardlink("h", "d/x")]
    assert diff(tmp_path, layer, layer) == []


def test_equal_trees_of_different_layers_do_not_differ(tmp_path: Path) -> None:
    before = tree_of(tmp_path / "a", [file("a", b"1"), file("b", b"22"), file("x")])
    after = tree_of(tmp_path / "b", [file("b", b"22")], [file("y")], [file("a", b"1"), gone("y")])
    assert letters(difference(before, after)) == "D/x"


def test_what_is_new_is_listed_with_its_size(tmp_path: Path) -> None:
    assert diff(tmp_path, [], [folder("d"), file("d/x", b"123"), symlink("l", "d")]) == [
        Difference("/d", "A", "directory", 0, 0),
        Difference("/d/x", "A", "file", 0, 3),
        Difference("/l", "A", "symlink", 0, 0),
    ]


def test_what_was_deleted_is_listed_once_with_all_that_was_in_it(tmp_path: Path) -> None:
    before = [file("d/x", b"123"), file("d/e/y", b"45"), hardlink("d/z", "d/x"), file("f", b"6")]
    assert diff(tmp_path, before, []) == [
        Difference("/d", "D", "directory", 5, 0),
        Difference("/f", "D", "file", 1, 0),
    ]


def test_what_grew_has_both_sizes(tmp_path: Path) -> None:
    found = diff(tmp_path, [file("a", b"1")], [file("a", b"123")])
    assert found == [Difference("/a", "C", "file", 1, 3)]


@pytest.mark.parametrize(
    "changed",
    [
        file("a", b"x", mode=0o600),
        file("a", b"x", uid=1),
        file("a", b"x", gid=1),
        file("a", b"x", mtime=1),
        file("a", b"x", xattrs=((b"user.a", b""),)),
        file("a", b"y"),
        symlink("a", "x"),
        folder("a"),
        special("a", Kind.FIFO),
    ],
)
def test_every_attribute_and_every_byte_counts(tmp_path: Path, changed: Member) -> None:
    assert letters(diff(tmp_path, [file("a", b"x")], [changed])) == "C/a"


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (symlink("a", "x"), symlink("a", "y"), "C/a"),
        (symlink("a", "x"), symlink("a", "x", mtime=4), "C/a"),
        (special("a", Kind.CHR, devminor=1), special("a", Kind.CHR, devminor=2), "C/a"),
        (special("a", Kind.CHR, devminor=1), special("a", Kind.CHR, devminor=1), ""),
        (folder("a", 0o700), folder("a", 0o755), "C/a"),
        (folder("a", mtime=1), folder("a", mtime=2), ""),
        (folder("./", 0o700), folder("./", 0o755), "C/"),
    ],
)
def test_what_is_no_file_differs_by_its_attributes(
    tmp_path: Path, one: Member, other: Member, found: str
) -> None:
    assert letters(diff(tmp_path, [one], [other])) == found


@pytest.mark.parametrize(("one", "other", "found"), [(0, 7, ""), (7, 0, ""), (7, 8, "C/a")])
def test_whole_seconds_are_no_change(tmp_path: Path, one: int, other: int, found: str) -> None:
    before = tree_of(tmp_path / "a", [file("a", b"x", mtime=5)])
    after = tree_of(tmp_path / "b", [file("a", b"x", mtime=5), gone("b")])
    # Our writer of tars knows seconds only; the tables are told the rest.
    before.tocs[0].nanoseconds[0], after.tocs[0].nanoseconds[0] = one, other
    assert letters(difference(before, after)) == found


def test_a_file_that_becomes_a_directory_is_changed_and_its_content_new(tmp_path: Path) -> None:
    found = diff(tmp_path, [file("a", b"x")], [file("a/b", b"y")])
    assert letters(found) == "C/a A/a/b"


def test_a_directory_that_becomes_a_file_is_changed(tmp_path: Path) -> None:
    assert letters(
        diff(tmp_path, [file("a/b", b"y"), file("c")], [file("a", b"x"), file("c")])
    ) == ("C/a")


def test_paths_come_in_order_directories_first(tmp_path: Path) -> None:
    after = [file("b/x"), file("a-c"), file("a/z"), file("a/b")]
    assert letters(diff(tmp_path, [], after)) == "A/a A/a/b A/a/z A/a-c A/b A/b/x"


def test_a_change_in_a_directory_is_no_change_of_it(tmp_path: Path) -> None:
    base = [folder("d"), file("d/x", b"1")]
    assert letters(diff(tmp_path, base, [*base, file("d/y")])) == "A/d/y"


def test_attributes_that_no_mounted_tree_shows_are_no_difference(tmp_path: Path) -> None:
    hidden = ((b"security.selinux", b"x"), (b"user.", b"1"))
    assert diff(tmp_path, [file("a", xattrs=hidden)], [file("a")]) == []
