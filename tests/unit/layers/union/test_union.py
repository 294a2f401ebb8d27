"""A chain of layers as one tree: its root, its order, its limits."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import LayerLimit
from nacre.layers.toc import Toc, toc_of
from nacre.layers.union import BadLayer, union
from nacre.oci.digest import Digest
from tests.unit.layers.stacks import (
    Member,
    Stack,
    file,
    folder,
    gone,
    opaque,
    symlink,
)
from tests.unit.layers.union.unions import IMPLIED, OWNED, OWNER, attributes


def test_no_layers_make_an_empty_root() -> None:
    stack = Stack()
    assert stack.paths() == []
    assert attributes(stack.tree.root) == IMPLIED
    assert stack.tree.root.implied


def test_names_are_cleaned_and_do_not_leave_the_root() -> None:
    stack = Stack([file("./a"), file("/b"), file("../../c"), file("d/./../e"), folder("f//g/")])
    assert stack.paths() == ["a", "b", "c", "e", "f/", "f/g/"]


def test_an_entry_for_the_root_gives_it_attributes() -> None:
    stack = Stack([folder("./", 0o1777, **OWNER)], [file("a")])
    assert attributes(stack.tree.root) == (0o1777, *OWNED)
    assert not stack.tree.root.implied
    assert stack.tree.root.attributes_layer == 0


def test_the_root_can_only_be_a_directory() -> None:
    # Refused when the table is made; and should a damaged one say so, here.
    toc = toc_of([Entry(b"a", Kind.SYMLINK, linkname=b"/")], layer=Digest.of(b""))
    for path in (b"", b"..", b".", b"b/.."):
        hostile = Toc(*(getattr(toc, name) for name in Toc.__match_args__))
        object.__setattr__(hostile, "paths", [path])
        with pytest.raises(BadLayer, match="root"):
            union([hostile])


def test_the_walk_is_in_order() -> None:
    stack = Stack([file("b/z"), file("b-/x"), file("a"), file("b/.x"), file("b/-"), file("b/\x01")])
    assert stack.paths() == ["a", "b/", "b/\x01", "b/-", "b/.x", "b/z", "b-/", "b-/x"]


def test_the_tree_knows_its_layers() -> None:
    stack = Stack([file("a")], [file("b")])
    assert stack.tree.layers == tuple(stack.tocs)


def test_the_work_is_limited() -> None:
    # Each link leads through the one before it twice: an exponential in a few hundred bytes.
    links = [symlink("l0", "."), *(symlink(f"l{n}", f"l{n - 1}/" * 30) for n in range(1, 30))]
    members = [m for n in range(20) for m in (file(f"l1/{n}/x"), file(f"d{n}"), symlink("s", "a"))]
    toc = Stack([*links, *members]).tocs[0]
    with pytest.raises(LayerLimit) as caught:
        union([toc], max_steps=500)
    assert caught.value.limit == "max_steps"


def test_the_depth_is_limited_also_where_links_add_to_it() -> None:
    deep = "/".join("d" * 510)
    assert len(Stack([folder(deep)]).paths()) == 510
    links = [symlink("a", f"{deep}/b"), symlink(f"{deep}/b", "x/" * 1000)]
    layer = [*links, file("a/f")]
    assert Stack(layer).tree.resolve(b"a/f").kind is Kind.REG
    toc = Stack(layer).tocs[0]
    with pytest.raises(LayerLimit) as caught:
        union([toc], max_depth=1000)
    assert caught.value.limit == "max_depth"


@pytest.mark.parametrize(("maximum", "is_refused"), [(4, True), (5, False)])
def test_the_depth_is_limited_also_where_every_directory_is_listed(
    maximum: int, is_refused: bool
) -> None:
    # The root, four directories; each is found from the one before.
    listed = [folder("a"), folder("a/b"), folder("a/b/c"), folder("a/b/c/d"), file("a/b/c/d/f")]
    toc = Stack(listed).tocs[0]
    with pytest.raises(LayerLimit) if is_refused else nullcontext():
        union([toc], max_depth=maximum)


def test_a_deep_directory_is_emptied() -> None:
    deep = "/".join("d" * 510)
    stack = Stack([file(f"{deep}/old")], [file(f"{deep}/new"), gone("d")])
    assert stack.paths()[-1] == f"{deep}/new"
    assert stack.tree.resolve(deep.encode()).implied


NAMES = st.sampled_from(["a", "b", "a/b", "a/a", "b/a", "b/b/a"])
REGULAR = st.lists(st.one_of(NAMES.map(lambda n: file(n, b"x")), NAMES.map(folder)), max_size=6)
MARKERS = st.lists(st.one_of(NAMES.map(gone), NAMES.map(opaque)), max_size=4)


@settings(max_examples=200)
@given(REGULAR, REGULAR, MARKERS, st.randoms(use_true_random=False))
def test_where_the_markers_stand_makes_no_difference(
    below: list[Member], entries: list[Member], markers: list[Member], random: object
) -> None:
    first = Stack(below, [*markers, *entries])
    mixed = list(entries)
    for marker in markers:
        mixed.insert(random.randint(0, len(mixed)), marker)  # type: ignore[attr-defined]
    other = Stack(below, mixed)
    assert first.paths() == other.paths()
    for (_, one), (_, two) in zip(first.tree.walk(), other.tree.walk(), strict=True):
        assert attributes(one) == attributes(two)
        assert (one.layer, one.implied) == (two.layer, two.implied)


def test_links_have_the_mode_that_linux_gives_them() -> None:
    odd = Member(Entry(b"a", Kind.SYMLINK, 0o644, linkname=b"x"))
    stack = Stack([odd, file("f", mode=0o644)], [symlink("b", "x")])
    assert [stack.tree.resolve(name, follow=False).mode for name in (b"a", b"f", b"b")] == [
        0o777, 0o644, 0o777,
    ]  # fmt: skip
    assert stack.tocs[0].modes[0] == 0o644, "the table says what the layer says"
