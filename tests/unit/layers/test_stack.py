from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nacre.layers.entry import Kind
from nacre.layers.stack import EMPTY, Delta, delta, is_regular
from nacre.layers.union import BadLayer, Tree, union
from tests.unit.layers.overlaid import Folder, made, overlaid, shown, unpacked
from tests.unit.layers.stacks import (
    Member,
    Stack,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    special,
    symlink,
    table,
    tar_of,
)


def regular(*members: Member) -> bool:
    return is_regular(table(tar_of(members)))


def top_delta(*layers: Sequence[Member]) -> Delta:
    """Return what the topmost layer comes to over the others."""
    stack = Stack(*layers)
    return delta(union(stack.tocs[:-1]), stack.tree)


def paths(found: Delta) -> list[str]:
    return [made.path.decode() for made in (*found.directories, *found.others)]


# Which layers are regular


def test_a_layer_that_lists_its_directories_first_is_regular() -> None:
    assert regular(folder("a"), file("a/f"), folder("a/b"), symlink("a/b/s", "/x"), file("top"))


def test_a_layer_without_members_is_regular() -> None:
    assert regular()


@pytest.mark.parametrize("root", ["./", "/", "."])
def test_whether_the_root_is_listed_does_not_count(root: str) -> None:
    assert regular(file("a"), folder(root, 0o700), file("b"))


def test_an_implied_parent_is_irregular() -> None:
    assert not regular(file("a/f"))
    assert not regular(folder("a"), file("a/b/f"))


def test_a_parent_that_is_listed_later_is_irregular() -> None:
    # Below there may be a link, which leads the file elsewhere.
    assert not regular(file("a/f"), folder("a"))


def test_a_parent_that_is_a_link_is_irregular() -> None:
    assert not regular(folder("a"), symlink("l", "a"), file("l/f"))


def test_a_parent_that_is_a_file_is_irregular() -> None:
    assert not regular(file("a"), file("a/f"))


def test_hard_links_to_what_was_listed_before_are_regular() -> None:
    assert regular(file("f"), hardlink("g", "/f"), hardlink("h", "./g"), symlink("s", "x"))
    assert regular(symlink("s", "x"), hardlink("t", "s"))


@pytest.mark.parametrize("target", ["f", "d", "d/f", ""])
def test_other_hard_links_are_irregular(target: str) -> None:
    layer = [folder("d"), hardlink("g", target or "/"), file("f"), folder("d/f")]
    assert not regular(*layer)


def test_whiteouts_in_listed_directories_are_regular() -> None:
    assert regular(gone("x"), folder("a"), gone("a/x"), folder("b"), opaque("b"), file("b/f"))


def test_whiteouts_in_other_directories_are_irregular() -> None:
    assert not regular(gone("a/x"))
    assert not regular(opaque("a"))
    assert not regular(gone("a/x"), folder("a"))


def test_a_whiteout_beside_what_replaces_it_is_regular() -> None:
    assert regular(gone("x"), folder("x"), file("x/f"))


def test_an_opaque_root_is_irregular() -> None:
    assert not regular(opaque(), file("f"))


def test_a_path_that_occurs_twice_is_irregular() -> None:
    assert not regular(file("a"), folder("a"))
    assert not regular(folder("a"), folder("a"))


def test_the_metadata_of_aufs_does_not_count() -> None:
    assert regular(folder(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"), file("f"))
    assert regular(file("a/.wh..wh.aufs"))


def test_hard_links_into_the_store_of_aufs_are_irregular() -> None:
    assert not regular(file(".wh..wh.plnk/1.2"), hardlink("f", ".wh..wh.plnk/1.2"))


# What irregular ones come to


def test_an_implied_directory_is_copied_up_with_its_attributes() -> None:
    found = top_delta([folder("a", 0o1777, uid=5, mtime=9), file("a/x")], [file("a/f")])
    assert paths(found) == ["", "a", "a/f"]
    node = found.directories[1].node
    assert (node.mode, node.uid, node.mtime) == (0o1777, 5, 9)


def test_a_parent_that_is_a_link_below_is_followed() -> None:
    found = top_delta(
        [folder("usr"), folder("usr/lib"), symlink("lib", "usr/lib")], [file("lib/f")]
    )
    assert paths(found) == ["", "usr", "usr/lib", "usr/lib/f"]
    assert found.removed == ()


def test_a_hard_link_to_below_brings_the_file_with_all_its_names() -> None:
    below = [file("a", b"x"), hardlink("b", "a"), file("other")]
    found = top_delta(below, [hardlink("c", "b")])
    assert paths(found) == ["", "a"]
    assert [(link.path, link.target) for link in found.links] == [(b"b", b"a"), (b"c", b"a")]
    assert found.others[0].node.layer == 0


def test_names_that_are_left_of_a_file_stay_below() -> None:
    found = top_delta([file("a"), hardlink("b", "a"), folder("d")], [gone("a"), file("d/f")])
    assert paths(found) == ["", "d", "d/f"]
    assert found.removed == (b"a",)


def test_what_is_gone_is_removed() -> None:
    found = top_delta([folder("a"), file("a/x"), file("a/y")], [gone("a/x")])
    assert found.removed == (b"a/x",)
    assert paths(found) == ["", "a"]


def test_a_directory_of_which_nothing_is_left_is_hidden() -> None:
    found = top_delta([folder("a"), file("a/x"), file("a/y")], [opaque("a"), file("a/z")])
    assert (found.hidden, found.removed) == ((b"a",), ())
    assert paths(found) == ["", "a", "a/z"]


def test_an_opaque_root_removes_name_by_name() -> None:
    found = top_delta([folder("a"), file("a/x"), file("b")], [opaque(), file("c")])
    assert (found.hidden, found.removed) == ((), (b"a", b"b"))


def test_a_directory_in_the_place_of_a_file_is_made_whole() -> None:
    found = top_delta([file("a")], [file("a/b/f")])
    assert paths(found) == ["", "a", "a/b", "a/b/f"]
    assert found.removed == found.hidden == ()


def test_what_does_not_change_is_left_away() -> None:
    below = [folder("a"), file("a/x"), folder("b"), file("b/y")]
    assert paths(top_delta(below, [file("b/f")])) == ["", "b", "b/f"]


def test_files_come_in_the_order_of_their_bytes() -> None:
    below = [file("z", b"1"), folder("d"), file("m", b"2")]
    found = top_delta(below, [hardlink("d/1", "m"), hardlink("d/2", "z"), file("a", b"3")])
    assert [made.node.data_offset for made in found.others if made.node.layer == 0] == sorted(
        made.node.data_offset for made in found.others if made.node.layer == 0
    )
    assert [made.node.layer for made in found.others] == [0, 0, 1]


def test_a_whole_tree_is_its_difference_from_nothing() -> None:
    stack = Stack([file("a/f")], [gone("a/f"), file("b"), hardlink("c", "b")])
    assert overlaid([made(delta(EMPTY, stack.tree))]) == shown(stack.tree)


def test_a_tree_that_stays_comes_to_its_root() -> None:
    stack = Stack([folder("a"), file("a/f")], [])
    assert paths(delta(union(stack.tocs[:1]), stack.tree)) == [""]


# Stacked, they are the union

PATHS = st.sampled_from(["a", "b", "c", "a/a", "a/b", "b/a", "b/b/a", "a/b/c", "c/a/b", "c/a"])
TARGETS = st.sampled_from(["a", "b", "/b", "../a", "b/b", "/", "..", "/a/b", "c/"])


MEMBERS = st.one_of(
    *[PATHS.map(lambda path: file(path, b"x"))] * 3,
    *[PATHS.map(folder)] * 3,
    *[PATHS.map(gone)] * 2,
    st.one_of(st.just(""), PATHS).map(opaque),
    st.builds(symlink, PATHS, TARGETS),
    st.builds(hardlink, PATHS, PATHS),
    PATHS.map(lambda path: special(path, Kind.FIFO)),
)


def completed(members: Sequence[Member]) -> list[Member]:
    """Return a layer with the directories listed that its members lie in: mostly a regular one."""
    layer: list[Member] = []
    there: set[bytes] = set()
    for member in members:
        parts = member.entry.name.split(b"/")[:-1]
        for end in range(1, len(parts) + 1):
            if (parent := b"/".join(parts[:end])) not in there:
                there.add(parent)
                layer.append(folder(parent.decode()))
        if member.entry.name not in there:
            there.add(member.entry.name)
            layer.append(member)
    return layer


ANY = st.lists(MEMBERS, max_size=6)
LAYERS = st.one_of(ANY, ANY.map(completed))


def folders(stack: Stack, *, merged: int) -> list[Folder]:
    """Return what is stacked, the topmost first; the lowest ``merged`` layers are one folder."""
    trees: list[Tree] = [union(stack.tocs[:count]) for count in range(len(stack.tocs) + 1)]
    found = [made(delta(EMPTY, trees[merged]))] if merged else []
    for number in range(merged, len(stack.tocs)):
        toc = stack.tocs[number]
        if not is_regular(toc):
            found.append(made(delta(trees[number], trees[number + 1])))
        elif toc not in stack.tocs[number + 1 :]:
            found.append(unpacked(toc, number))
    return found[::-1]


@settings(max_examples=400)
@given(
    layers=st.lists(LAYERS, min_size=1, max_size=4),
    repeated=st.lists(st.integers(0, 3)),
    merged=st.integers(0, 2),
)
def test_stacked_folders_are_the_union(
    layers: list[list[Member]], repeated: list[int], merged: int
) -> None:
    layers = [*layers, *(layers[number % len(layers)] for number in repeated[:3])]
    try:
        stack = Stack(*layers)
    except BadLayer:
        assume(False)
    assert overlaid(folders(stack, merged=min(merged, len(layers)))) == shown(stack.tree)
