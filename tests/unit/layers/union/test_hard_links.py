"""Hard links share one node, also with a file of a lower layer."""

from __future__ import annotations

import pytest

from nacre.layers.entry import Kind
from tests.unit.layers.stacks import (
    Stack,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    symlink,
)
from tests.unit.layers.union.unions import OWNER, attributes, fails


def test_hard_links_share_one_node() -> None:
    stack = Stack([file("a", b"x", mode=0o640), hardlink("b", "a"), hardlink("c/d", "./b")])
    node = stack.tree.resolve(b"a")
    assert stack.is_same("a", "b")
    assert stack.is_same("a", "c/d")
    assert (node.nlink, node.mode, node.layer) == (3, 0o640, 0)


def test_a_hard_link_finds_a_lower_layers_file() -> None:
    stack = Stack([file("a", b"x")], [hardlink("b", "a")])
    assert stack.is_same("a", "b")
    assert stack.read("b") == b"x"
    assert stack.tree.resolve(b"b").layer == 0
    assert stack.tree.resolve(b"b").nlink == 2


def test_a_hard_links_own_attributes_count_for_nothing() -> None:
    stack = Stack([file("a", mode=0o600)], [hardlink("b", "a", mode=0o777, **OWNER)])
    assert attributes(stack.tree.resolve(b"a")) == (0o600, 0, 0, 0, ())


def test_a_hard_link_to_a_symlink_is_that_symlink() -> None:
    # CVE-2021-32760: permissions of the link were given to the file behind it.
    stack = Stack([file("f", mode=0o600), symlink("l", "f"), hardlink("h", "l", mode=0o777)])
    node = stack.tree.resolve(b"h", follow=False)
    assert node is stack.tree.resolve(b"l", follow=False)
    assert (node.kind, node.linkname, node.nlink) == (Kind.SYMLINK, b"f", 2)
    assert stack.tree.resolve(b"f").mode == 0o600


def test_a_hard_links_target_is_found_behind_symlinked_parents() -> None:
    stack = Stack([file("b/c"), symlink("a", "/b")], [hardlink("d", "a/c")])
    assert stack.is_same("d", "b/c")


def test_a_hard_link_to_nothing_is_refused() -> None:
    assert "'nothing'" in str(fails([hardlink("a", "nothing")]))
    assert fails([hardlink("a", "no/where")]).path == b"a"
    assert fails([file("f"), hardlink("a", "f/b")]).path == b"a"
    assert fails([file("a")], [gone("a"), hardlink("b", "a")]).layer == 1


def test_a_hard_link_to_itself_or_into_what_it_replaces_is_refused() -> None:
    assert "does not exist" in str(fails([file("a"), hardlink("a", "a")]))
    assert "does not exist" in str(fails([file("a/b"), hardlink("a", "a/b")]))


@pytest.mark.parametrize("target", ["d", "/", "d/.."])
def test_a_hard_link_to_a_directory_is_refused(target: str) -> None:
    assert "directory" in str(fails([folder("d"), hardlink("a", target)]))


def test_links_are_counted_in_the_finished_tree() -> None:
    base = [file("a"), hardlink("b", "a"), hardlink("d/c", "a")]
    assert Stack(base, [gone("b")]).tree.resolve(b"a").nlink == 2
    assert Stack(base, [gone("d")]).tree.resolve(b"a").nlink == 2
    assert Stack(base, [file("a", b"new")]).tree.resolve(b"a").nlink == 1
    assert Stack(base, [file("a", b"new")]).tree.resolve(b"b").nlink == 2
    assert Stack(base, [opaque()], [file("x")]).paths() == ["x"]


def test_a_directory_counts_itself_and_those_in_it() -> None:
    stack = Stack([folder("a/b"), folder("a/c"), file("a/f")])
    assert stack.tree.resolve(b"a").nlink == 4
    assert stack.tree.resolve(b"a/b").nlink == 2


def test_replacing_a_linked_file_leaves_its_other_names() -> None:
    stack = Stack([file("a", b"old"), hardlink("b", "a")], [file("a", b"new")])
    assert (stack.read("a"), stack.read("b")) == (b"new", b"old")


def test_aufs_metadata_is_passed_over() -> None:
    layer = [file(".wh..wh.aufs"), folder(".wh..wh.orph"), folder(".wh..wh.plnk"), file("a")]
    assert Stack([file("b")], layer).paths() == ["a", "b"]


def test_aufs_store_of_links_is_where_hard_links_find_their_file() -> None:
    stored = file(".wh..wh.plnk/1.2", b"stored", mode=0o600)
    links = [hardlink("a", ".wh..wh.plnk/1.2"), hardlink("b", "/.wh..wh.plnk/1.2")]
    stack = Stack([stored, *links])
    assert stack.paths() == ["a", "b"]
    assert stack.is_same("a", "b")
    assert stack.read("a") == b"stored"
    assert stack.tree.resolve(b"a").nlink == 2
    assert fails([stored], [hardlink("a", ".wh..wh.plnk/1.2")]).layer == 1
    assert fails([symlink(".wh..wh.plnk/1", "b"), hardlink("a", ".wh..wh.plnk/1")]).path == b"a"
