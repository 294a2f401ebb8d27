"""What a chain of layers means, rule by rule."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import LayerLimit
from nacre.layers.toc import Toc, toc_of
from nacre.layers.union import BadLayer, Node, union
from nacre.oci.digest import Digest
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
)

OWNER = {"uid": 7, "gid": 8, "mtime": 9, "xattrs": ((b"user.a", b"1"),)}


def attributes(node: Node) -> tuple[int, int, int, int, tuple[tuple[bytes, bytes], ...]]:
    return node.mode, node.uid, node.gid, node.mtime, node.xattrs


OWNED = (7, 8, 9, ((b"user.a", b"1"),))
IMPLIED = (0o755, 0, 0, 0, ())


def fails(*layers: list[Member]) -> BadLayer:
    with pytest.raises(BadLayer) as caught:
        Stack(*layers)
    return caught.value


# Names and the root


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


# Parents


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


# What stands over what


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


# Whiteouts


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


# Opaque directories


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


# Hard links


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


# AUFS


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


# The whole


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
