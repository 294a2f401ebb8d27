"""Whiteouts and opaque directories take away what is below, and nothing of their own layer."""

from __future__ import annotations

import itertools

import pytest

from tests.unit.layers.stacks import (
    Stack,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    symlink,
)
from tests.unit.layers.union.unions import IMPLIED, OWNED, OWNER, attributes


@pytest.mark.parametrize("path", ["a", "b", "b/c", "l"])
def test_a_whiteout_removes_what_is_below(path: str) -> None:
    base = [file("a"), folder("b"), file("b/c"), symlink("l", "b")]
    left = [p for p in Stack(base).paths() if not f"{p.rstrip('/')}/".startswith(f"{path}/")]
    assert Stack(base, [gone(path)]).paths() == left


def test_a_whiteout_of_nothing_does_nothing() -> None:
    assert Stack([file("a")], [gone("b")]).paths() == ["a"]
    assert Stack([gone("b")]).paths() == []


def test_a_whiteout_does_not_remove_what_its_own_layer_has() -> None:
    for layer in itertools.permutations([gone("a"), file("a", b"new")]):
        stack = Stack([file("a", b"old"), file("b")], list(layer))
        assert stack.paths() == ["a", "b"]
        assert stack.read("a") == b"new"


def test_a_whiteout_beside_a_directory_of_its_layer_empties_it() -> None:
    base = [folder("a", 0o777), file("a/old"), folder("a/s"), file("a/s/old"), file("a/s/kept")]
    for layer in itertools.permutations([gone("a"), folder("a", 0o700), file("a/s/kept", b"k")]):
        stack = Stack(base, list(layer))
        assert stack.paths() == ["a/", "a/s/", "a/s/kept"]
        assert attributes(stack.tree.resolve(b"a")) == (0o700, 0, 0, 0, ())
        assert attributes(stack.tree.resolve(b"a/s")) == IMPLIED
        assert stack.read("a/s/kept") == b"k"
        assert stack.tree.resolve(b"a").layer == 1


def test_a_whiteout_makes_a_directory_that_is_not_listed_an_implied_one() -> None:
    for layer in itertools.permutations([gone("a"), file("a/new")]):
        stack = Stack([folder("a", 0o700, **OWNER), file("a/old")], list(layer))
        assert stack.paths() == ["a/", "a/new"]
        assert attributes(stack.tree.resolve(b"a")) == IMPLIED
        assert stack.tree.resolve(b"a").layer == 1


def test_a_whiteout_spares_a_name_that_its_layer_links_to_a_lower_file() -> None:
    for layer in itertools.permutations([gone("a"), hardlink("a", "b")]):
        stack = Stack([file("a", b"a"), file("b", b"b")], list(layer))
        assert stack.is_same("a", "b")


def test_a_whiteout_of_what_a_lower_whiteout_removed_does_nothing() -> None:
    assert Stack([file("a")], [gone("a")], [gone("a")]).paths() == []
    assert Stack([file("a")], [gone("a")], [file("a", b"x")]).read("a") == b"x"


def test_a_whiteout_may_have_a_body_and_be_of_any_type() -> None:
    body = file(".wh.a", b"ignored")
    assert Stack([file("a")], [body]).paths() == []
    assert Stack([file("a")], [folder(".wh.a/")]).paths() == []


def test_a_whiteout_inside_nothing_makes_its_parents() -> None:
    # As in docker and containerd, and as overlayfs shows a layer with a whiteout in a directory.
    stack = Stack([file("b")], [gone("a/c/d")])
    assert stack.paths() == ["a/", "a/c/", "b"]
    assert stack.tree.resolve(b"a").implied


def test_a_whiteout_inside_what_is_no_directory_is_void() -> None:
    stack = Stack([file("a", b"kept"), symlink("l", "a")], [gone("a/b"), gone("l/b"), opaque("a")])
    assert stack.paths() == ["a", "l"]
    assert stack.read("a") == b"kept"


def test_a_whiteout_behind_symlinks_in_circles_is_void() -> None:
    circle = [symlink("a", "b"), symlink("b", "a")]
    assert Stack(circle, [gone("a/c"), opaque("b/d")]).paths() == ["a", "b"]
    assert Stack([gone("a/c"), *circle]).paths() == ["a", "b"]


def test_a_whiteout_goes_through_a_symlinked_parent() -> None:
    base = [file("b/c"), file("b/d"), symlink("a", "b")]
    assert Stack(base, [gone("a/c")]).paths() == ["a", "b/", "b/d"]


def test_a_whiteout_does_not_go_through_a_symlink_that_its_layer_replaced() -> None:
    # An overlay marks a directory made over a symlink opaque: the link's target is not meant.
    base = [file("usr/lib/libc"), symlink("lib", "usr/lib")]
    stack = Stack(base, [folder("lib"), opaque("lib"), gone("lib/libc"), file("lib/own")])
    assert stack.paths() == ["lib/", "lib/own", "usr/", "usr/lib/", "usr/lib/libc"]


def test_a_whiteout_inside_a_removed_directory_puts_an_empty_one_there() -> None:
    for layer in itertools.permutations([gone("a"), gone("a/b"), gone("a/c")]):
        stack = Stack([folder("a", 0o700), file("a/b"), file("a/d")], list(layer))
        assert stack.paths() == ["a/"]
        assert stack.tree.resolve(b"a").implied


def test_an_opaque_directory_hides_what_is_below_wherever_the_marker_stands() -> None:
    base = [folder("a", 0o700, **OWNER), file("a/old"), file("a/s/deep/old"), file("b")]
    layer = [opaque("a"), file("a/new"), file("a/s/deep/new")]
    for order in itertools.permutations(layer):
        stack = Stack(base, list(order))
        assert stack.paths() == ["a/", "a/new", "a/s/", "a/s/deep/", "a/s/deep/new", "b"]
        assert attributes(stack.tree.resolve(b"a")) == (0o700, *OWNED)
        assert attributes(stack.tree.resolve(b"a/s")) == IMPLIED


def test_an_opaque_directory_may_be_listed_in_its_layer() -> None:
    for layer in itertools.permutations([folder("a", 0o700), opaque("a"), file("a/new")]):
        stack = Stack([folder("a", 0o777), file("a/old")], list(layer))
        assert stack.paths() == ["a/", "a/new"]
        assert stack.tree.resolve(b"a").mode == 0o700


def test_an_opaque_root_hides_all_that_is_below() -> None:
    for layer in itertools.permutations([opaque(), file("a/new")]):
        assert Stack([file("a/old"), file("b")], list(layer)).paths() == ["a/", "a/new"]


def test_an_opaque_marker_in_nothing_makes_the_directory() -> None:
    assert Stack([opaque("a/b")]).paths() == ["a/", "a/b/"]


def test_whiteouts_inside_an_opaque_directory_are_harmless() -> None:
    for layer in itertools.permutations([opaque("a"), gone("a/old"), file("a/new")]):
        assert Stack([file("a/old"), file("a/other")], list(layer)).paths() == ["a/", "a/new"]


def test_what_a_layer_above_adds_is_not_hidden() -> None:
    assert Stack([file("a/x")], [opaque("a")], [file("a/y")]).paths() == ["a/", "a/y"]
