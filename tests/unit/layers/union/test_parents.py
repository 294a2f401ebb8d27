"""Parents that are missing are implied, and those that are symlinks below are followed."""

from __future__ import annotations

import pytest

from nacre.layers.entry import Kind
from tests.unit.layers.stacks import (
    Stack,
    file,
    folder,
    symlink,
)
from tests.unit.layers.union.unions import IMPLIED, OWNED, OWNER, attributes, fails


def test_missing_parents_are_implied() -> None:
    stack = Stack([file("a/b/c", b"x")])
    for path in (b"a", b"a/b"):
        node = stack.tree.resolve(path)
        assert node.implied
        assert attributes(node) == IMPLIED
        assert (node.layer, node.attributes_layer) == (0, 0)


def test_implied_parents_take_their_attributes_from_below() -> None:
    stack = Stack([folder("tmp", 0o1777, **OWNER)], [file("tmp/a")])
    node = stack.tree.resolve(b"tmp")
    assert attributes(node) == (0o1777, *OWNED)
    assert (node.layer, node.attributes_layer, node.implied) == (0, 0, False)


def test_an_implied_parent_may_be_listed_later() -> None:
    stack = Stack([file("a/b"), folder("a", 0o700, **OWNER)])
    assert attributes(stack.tree.resolve(b"a")) == (0o700, *OWNED)
    assert stack.paths() == ["a/", "a/b"]


@pytest.mark.parametrize("target", ["usr/lib", "/usr/lib", "../../usr/lib", "usr/../usr/./lib"])
def test_a_parent_that_is_a_symlink_below_is_followed(target: str) -> None:
    base = [folder("usr/lib"), symlink("lib", target)]
    stack = Stack(base, [file("lib/a", b"x"), file("lib/modules/b")])
    assert stack.paths() == [
        *("lib", "usr/", "usr/lib/", "usr/lib/a", "usr/lib/modules/", "usr/lib/modules/b"),
    ]
    assert stack.tree.resolve(b"lib", follow=False).kind is Kind.SYMLINK
    assert stack.read("usr/lib/a") == b"x"


def test_a_symlinked_parent_is_followed_in_every_part() -> None:
    base = [folder("c/d"), symlink("a", "b"), symlink("b", "/c"), symlink("c/e", "d")]
    assert Stack(base, [file("a/e/f")]).exists("c/d/f")


def test_a_dead_symlink_as_parent_gets_its_target() -> None:
    stack = Stack([symlink("a", "/no/where")], [file("a/b")])
    assert stack.paths() == ["a", "no/", "no/where/", "no/where/b"]


def test_a_parent_that_is_no_directory_is_replaced() -> None:
    stack = Stack([file("a", b"old", **OWNER)], [file("a/b")])
    assert stack.paths() == ["a/", "a/b"]
    node = stack.tree.resolve(b"a")
    assert (attributes(node), node.layer) == (IMPLIED, 1)


def test_a_symlink_to_what_is_no_directory_has_its_target_replaced() -> None:
    stack = Stack([file("f"), symlink("a", "f")], [file("a/b")])
    assert stack.paths() == ["a", "f/", "f/b"]


def test_symlinks_in_circles_are_refused() -> None:
    error = fails([symlink("a", "b"), symlink("b", "a")], [file("x"), file("a/c")])
    assert (error.layer, error.path) == (1, b"a/c")
    assert "layer 1" in str(error)
    assert "'a/c'" in str(error)


def test_as_many_symlinks_as_in_linux_are_followed() -> None:
    links = [symlink(f"l{n}", f"l{n + 1}") for n in range(40)]
    assert Stack([*links, folder("l40"), file("l0/a")]).exists("l40/a")
    assert fails([*links, symlink("l40", "l41"), folder("l41"), file("l0/a")]).path == b"l0/a"


def test_a_replaced_symlink_is_not_followed_any_more() -> None:
    base = [folder("b"), folder("c"), symlink("a", "b")]
    stack = Stack(base, [file("a/one"), symlink("a", "c"), file("a/two")])
    assert stack.paths() == ["a", "b/", "b/one", "c/", "c/two"]


def test_a_replaced_target_is_not_found_through_its_symlink() -> None:
    base = [folder("b"), symlink("a", "b")]
    stack = Stack(base, [file("a/one"), file("b"), folder("b"), file("a/two")])
    assert stack.paths() == ["a", "b/", "b/two"]
