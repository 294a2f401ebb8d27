"""Whiteouts, applied to a tree with lower layers and converted to overlayfs's form."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nacre.layers.apply import BadMember
from nacre.layers.whiteout import Overlay
from tests.unit.layers.stacks import Member, file, folder, gone, hardlink, opaque, symlink
from tests.unit.layers.trees import apply, is_whiteout, mode, paths

USER = Overlay.USER


@pytest.fixture
def lower(tree: Path) -> Path:
    """A tree with lower layers."""
    apply(
        tree,
        *(folder("a", 0o700, mtime=5), file("a/b", b"low"), file("a/c/d"), file("a/c/e")),
        *(file("f"), symlink("s", "a"), symlink("dangling", "/dne")),
    )
    return tree


# Applied


def both_orders(*members: Member) -> list[tuple[Member, ...]]:
    return [members, members[::-1]]


def test_a_whiteout_removes_a_file(lower: Path) -> None:
    apply(lower, gone("a/b"))
    assert paths(lower) == ["a/", "a/c/", "a/c/d", "a/c/e", "dangling", "f", "s"]


def test_a_whiteout_removes_a_whole_tree(lower: Path) -> None:
    apply(lower, gone("a"))
    assert paths(lower) == ["dangling", "f", "s"]


def test_a_whiteout_removes_a_link_and_not_its_target(lower: Path) -> None:
    apply(lower, gone("s"))
    assert (lower / "a" / "b").exists()
    assert not (lower / "s").is_symlink()


def test_a_whiteout_behind_a_link_works_where_it_leads(lower: Path) -> None:
    apply(lower, gone("s/b"))
    assert not (lower / "a" / "b").exists()
    assert (lower / "s").is_symlink()


def test_the_body_of_a_whiteout_is_ignored(lower: Path) -> None:
    apply(lower, file("a/.wh.b", b"x" * 5000), file("next"), step=512)
    assert not (lower / "a" / "b").exists()
    assert not (lower / "a" / ".wh.b").exists()
    assert (lower / "next").exists()


@pytest.mark.parametrize("members", both_orders(gone("a/b"), file("a/b", b"new")))
def test_a_whiteout_spares_its_own_layer(lower: Path, members: tuple[Member, ...]) -> None:
    apply(lower, *members)
    assert (lower / "a" / "b").read_bytes() == b"new"


@pytest.mark.parametrize("members", both_orders(gone("a"), folder("a", 0o711)))
def test_a_directory_and_its_whiteout_make_an_empty_directory(
    lower: Path, members: tuple[Member, ...]
) -> None:
    apply(lower, *members)
    assert list((lower / "a").iterdir()) == []
    assert mode(lower / "a") == 0o711


@pytest.mark.parametrize("members", both_orders(gone("a"), file("a/c/new")))
def test_what_its_own_layer_needs_stays_as_an_implied_directory(
    lower: Path, members: tuple[Member, ...]
) -> None:
    apply(lower, *members)
    assert [path for path in paths(lower) if path.startswith("a")] == ["a/", "a/c/", "a/c/new"]
    assert mode(lower / "a") == 0o755
    assert (lower / "a").stat().st_mtime == 0


@pytest.mark.parametrize("members", both_orders(gone("a/b"), hardlink("a/b", "f")))
def test_a_link_to_a_lower_file_is_its_own_layers(lower: Path, members: tuple[Member, ...]) -> None:
    apply(lower, *members)
    assert os.path.samefile(lower / "a" / "b", lower / "f")


@pytest.mark.parametrize(
    "path", ["nothing", "no/where/x", "f/x", "s/nothing", "dangling/x", "f/x/y"]
)
def test_a_whiteout_of_nothing_does_nothing(lower: Path, path: str) -> None:
    before = {name for name in paths(lower) if not name.startswith(("no/", "dne/"))}
    apply(lower, gone(path))
    after = {name for name in paths(lower) if not name.startswith(("no/", "dne/"))}
    assert after == before


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "a/.wh.", "a/.wh..", "a/.wh..."])
def test_a_whiteout_of_no_name_is_refused(lower: Path, name: str) -> None:
    before = paths(lower)
    with pytest.raises(BadMember, match="whiteout of nothing that a directory can hold"):
        apply(lower, file(name))
    assert paths(lower) == before


def test_a_whiteout_is_told_by_the_last_part_of_a_name(lower: Path) -> None:
    apply(lower, file(".wh.a/x", b"1"))
    assert (lower / "a" / "b").exists()
    assert (lower / ".wh.a" / "x").read_bytes() == b"1"


@pytest.mark.parametrize("members", both_orders(opaque("a"), file("a/new")))
def test_an_opaque_directory_keeps_what_its_own_layer_has(
    lower: Path, members: tuple[Member, ...]
) -> None:
    apply(lower, *members)
    assert [path.name for path in (lower / "a").iterdir()] == ["new"]


def test_an_opaque_directory_that_is_not_listed_keeps_its_attributes(lower: Path) -> None:
    apply(lower, opaque("a"))
    assert mode(lower / "a") == 0o700
    assert (lower / "a").stat().st_mtime == 5


@pytest.mark.parametrize("members", both_orders(opaque("a"), file("a/c/new")))
def test_what_is_below_an_opaque_directory_is_hidden_too(
    lower: Path, members: tuple[Member, ...]
) -> None:
    apply(lower, *members)
    assert [path for path in paths(lower) if path.startswith("a")] == ["a/", "a/c/", "a/c/new"]


def test_the_root_may_be_opaque(lower: Path) -> None:
    apply(lower, file("new/x"), opaque())
    assert paths(lower) == ["new/", "new/x"]


def test_without_lower_layers_a_whiteout_does_nothing(tree: Path) -> None:
    apply(tree, file("a/b"), gone("a/b"), gone("a"), opaque("a"), opaque())
    assert paths(tree) == ["a/", "a/b"]


def test_a_whiteout_of_a_deep_tree_is_no_deep_recursion(tree: Path) -> None:
    deep = "/".join("d" * 400)
    apply(tree, file(deep + "/low"))
    apply(tree, file(deep + "/new"), gone("d"))
    assert not (tree / deep / "low").exists()
    assert (tree / deep / "new").exists()
    apply(tree, gone("d"))
    assert paths(tree) == []


# Converted


def is_opaque(path: Path) -> bool:
    try:
        return os.getxattr(path, "user.overlay.opaque") == b"y"
    except OSError:
        return False


def test_a_whiteout_becomes_a_device(tree: Path) -> None:
    apply(tree, folder("a", 0o750, mtime=5), gone("a/b"), overlay=USER)
    assert is_whiteout(tree / "a" / "b")
    assert (tree / "a").stat().st_mtime == 5


def test_an_opaque_marker_becomes_an_attribute(tree: Path) -> None:
    apply(tree, folder("a"), opaque("a"), folder("b"), overlay=USER)
    assert is_opaque(tree / "a")
    assert not is_opaque(tree / "b")
    assert paths(tree) == ["a/", "b/"]


def test_parents_of_markers_are_made(tree: Path) -> None:
    apply(tree, gone("a/b/c"), opaque("d/e"), overlay=USER)
    assert is_whiteout(tree / "a" / "b" / "c")
    assert is_opaque(tree / "d" / "e")


@pytest.mark.parametrize("members", both_orders(gone("a"), file("a", b"new")))
def test_a_file_takes_the_place_of_its_whiteout(tree: Path, members: tuple[Member, ...]) -> None:
    apply(tree, *members, overlay=USER)
    assert (tree / "a").read_bytes() == b"new"


@pytest.mark.parametrize("members", both_orders(gone("a"), folder("a")))
def test_a_directory_and_its_whiteout_become_opaque(
    tree: Path, members: tuple[Member, ...]
) -> None:
    apply(tree, *members, overlay=USER)
    assert is_opaque(tree / "a")


@pytest.mark.parametrize("members", both_orders(gone("a"), file("a/x")))
def test_an_implied_directory_and_its_whiteout_become_opaque(
    tree: Path, members: tuple[Member, ...]
) -> None:
    apply(tree, *members, overlay=USER)
    assert is_opaque(tree / "a")
    assert paths(tree) == ["a/", "a/x"]


def test_a_directory_after_a_file_is_opaque(tree: Path) -> None:
    # The file took the place of whatever lower layers have there.
    apply(tree, file("a"), folder("a"), file("b"), file("b/x"), overlay=USER)
    assert is_opaque(tree / "a")
    assert is_opaque(tree / "b")


@pytest.mark.parametrize("members", both_orders(opaque("a"), gone("a/x")))
def test_there_are_no_whiteouts_in_an_opaque_directory(
    tree: Path, members: tuple[Member, ...]
) -> None:
    apply(tree, *members, gone("a/b/y"), overlay=USER)
    assert is_opaque(tree / "a")
    assert paths(tree) == ["a/", "a/b/"]


def test_the_root_may_become_opaque(tree: Path) -> None:
    apply(tree, file("a"), opaque(), gone("b"), overlay=USER)
    assert is_opaque(tree)
    assert paths(tree) == ["a"]


def test_a_whiteout_whose_directory_gave_way_is_void(tree: Path) -> None:
    apply(tree, gone("a/b"), file("a", b"x"), symlink("s", "t"), gone("s2/x"), overlay=USER)
    assert (tree / "a").read_bytes() == b"x"


def test_overlayfs_attributes_of_an_image_are_escaped(tree: Path) -> None:
    given = ((b"user.overlay.opaque", b"y"), (b"user.overlay.redirect", b"/etc"))
    apply(tree, folder("a", xattrs=given), overlay=USER)
    assert not is_opaque(tree / "a")
    assert os.getxattr(tree / "a", "user.overlay.overlay.opaque") == b"y"
    assert os.getxattr(tree / "a", "user.overlay.overlay.redirect") == b"/etc"


def test_a_directory_listed_twice_stays_opaque(tree: Path) -> None:
    apply(
        tree,
        *(folder("a", xattrs=((b"user.x", b"1"),)), opaque("a"), folder("a", 0o700)),
        overlay=USER,
    )
    assert is_opaque(tree / "a")
    assert mode(tree / "a") == 0o700


@pytest.mark.parametrize(
    "form", [Overlay.USER, pytest.param(Overlay.TRUSTED, marks=pytest.mark.root)]
)
def test_a_directory_with_whiteouts_is_marked(tmp_path: Path, form: Overlay) -> None:
    # Where nothing is merged with it, overlayfs would list the whiteouts otherwise.
    apply(tmp_path, folder("a"), gone("a/x"), folder("b"), file("b/f"), overlay=form)
    assert os.getxattr(tmp_path / "a", form.value + b"origin") == b""
    assert not os.listxattr(tmp_path / "b")
