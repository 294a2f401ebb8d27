"""What a layer lists stands over what is below."""

from __future__ import annotations

import itertools

import pytest

from nacre.layers.entry import Kind
from tests.unit.layers.stacks import (
    Stack,
    file,
    folder,
    gone,
    hardlink,
    special,
    symlink,
)
from tests.unit.layers.union.unions import OWNED, OWNER, attributes


def test_a_directory_over_a_directory_replaces_its_attributes_only() -> None:
    stack = Stack(
        [folder("a", 0o777, **OWNER), file("a/old")], [folder("a", 0o700, mtime=5), file("a/new")]
    )
    node = stack.tree.resolve(b"a")
    assert stack.paths() == ["a/", "a/new", "a/old"]
    assert attributes(node) == (0o700, 0, 0, 5, ())
    assert (node.layer, node.attributes_layer) == (0, 1)


KINDS = {
    "file": file("a", b"content"),
    "folder": folder("a"),
    "symlink": symlink("a", "target"),
    "hardlink": hardlink("a", "target"),
    "fifo": special("a", Kind.FIFO),
    "device": special("a", Kind.CHR, devmajor=1, devminor=3),
}


@pytest.mark.parametrize(("below", "above"), list(itertools.permutations(KINDS, 2)))
def test_a_change_of_type_replaces(below: str, above: str) -> None:
    base = [file("target"), KINDS[below], *([file("a/child")] if below == "folder" else [])]
    stack = Stack(base, [KINDS[above]])
    assert stack.paths() == ["a/" if above == "folder" else "a", "target"]
    node = stack.tree.resolve(b"a", follow=False)
    expected = Kind.REG if above == "hardlink" else KINDS[above].entry.kind
    assert node.kind is expected
    assert node.layer == (0 if above == "hardlink" else 1)


def test_a_file_over_a_directory_removes_all_that_was_in_it() -> None:
    stack = Stack([file("a/b/c"), file("d")], [file("a", b"x")])
    assert stack.paths() == ["a", "d"]


def test_of_a_path_that_is_there_twice_the_last_counts() -> None:
    stack = Stack([file("a", b"one"), file("b"), file("./a", b"two"), folder("b"), file("b/c")])
    assert stack.paths() == ["a", "b/", "b/c"]
    assert stack.read("a") == b"two"


def test_attributes_and_content_come_from_the_right_layer() -> None:
    stack = Stack([file("a", b"zero"), file("b", b"kept")], [file("c")], [file("a", b"two")])
    assert stack.read("a") == b"two"
    assert stack.read("b") == b"kept"
    assert [stack.tree.resolve(path).layer for path in (b"a", b"b", b"c")] == [2, 0, 1]
    assert stack.tree.resolve(b"a").attributes_layer == 2


def test_a_repeated_layer_is_applied_again() -> None:
    one, two = [file("a", b"one"), file("b")], [gone("a"), file("b", b"two")]
    stack = Stack(one, two, one)
    assert stack.read("a") == b"one"
    assert stack.read("b") == b""
    assert stack.tree.resolve(b"a").layer == 2
    assert Stack(one, two, two).paths() == ["b"]


def test_all_attributes_are_kept() -> None:
    stack = Stack([special("null", Kind.CHR, mode=0o666, devmajor=1, devminor=3, **OWNER)])
    node = stack.tree.resolve(b"null")
    assert (node.kind, node.device) == (Kind.CHR, (1, 3))
    assert attributes(node) == (0o666, *OWNED)
    assert node.entry.name == b"null"
    link = Stack([symlink("l", "a/b")]).tree.resolve(b"l", follow=False)
    assert (link.kind, link.linkname, link.mode) == (Kind.SYMLINK, b"a/b", 0o777)
