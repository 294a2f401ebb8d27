from __future__ import annotations

from pathlib import Path

import pytest

from nacre.images.layers import LayerNotHere
from nacre.images.tree import FileInfo, NoSuchLayer
from nacre.layers.entry import Kind
from nacre.layers.union import NoSuchPath, TooManyLinks
from tests.unit.images.shelves import paths, tree_of
from tests.unit.layers.stacks import file, folder, gone, hardlink, opaque, special, symlink

BASE = [
    folder("etc", 0o750, uid=5, gid=6, mtime=7),
    file("etc/motd", b"hello", mode=0o4755, uid=1, gid=2, mtime=3),
    hardlink("etc/again", "etc/motd"),
    symlink("bin", "usr/bin"),
    folder("usr/bin"),
    file("usr/bin/sh", b"#!"),
    special("dev/null", Kind.CHR, devmajor=1, devminor=3),
    special("pipe", Kind.FIFO),
]


def test_a_listing_has_what_is_in_a_directory_by_name(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, BASE)
    listing = tree.listing(b"/")
    assert (listing.path, listing.is_directory) == ("/", True)
    assert paths(tree, recursive=False) == ["/bin", "/dev", "/etc", "/pipe", "/usr"]


def test_a_recursive_listing_has_directories_before_their_content(tmp_path: Path) -> None:
    assert paths(tree_of(tmp_path, BASE)) == [
        "/bin", "/dev", "/dev/null", "/etc", "/etc/again", "/etc/motd", "/pipe",
        "/usr", "/usr/bin", "/usr/bin/sh",
    ]  # fmt: skip


def test_all_is_said_of_a_file(tmp_path: Path) -> None:
    (found,) = tree_of(tmp_path, BASE).listing(b"etc/motd").files
    assert found == FileInfo(
        path="/etc/motd", kind="file", mode=0o4755, links=2, uid=1, gid=2, size=5,
        mtime=3_000_000_000, target="", device=(0, 0), layer=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "kind", "target", "device"),
    [
        ("etc", "directory", "", (0, 0)),
        ("etc/again", "file", "", (0, 0)),
        ("bin", "symlink", "usr/bin", (0, 0)),
        ("dev/null", "char", "", (1, 3)),
        ("pipe", "fifo", "", (0, 0)),
    ],
)
def test_every_kind_has_a_word(
    tmp_path: Path, path: str, kind: str, target: str, device: tuple[int, int]
) -> None:
    tree = tree_of(tmp_path, BASE)
    found = next(one for one in tree.listing(b"", recursive=True).files if one.path == "/" + path)
    assert (found.kind, found.target, found.device) == (kind, target, device)


@pytest.mark.parametrize("path", ["bin", "/bin/", "bin/.", "etc/../bin", "//usr///bin"])
def test_links_on_the_way_are_followed(tmp_path: Path, path: str) -> None:
    tree = tree_of(tmp_path, BASE)
    assert [Path(one).name for one in paths(tree, path)] == ["sh"]


def test_a_link_at_the_end_is_followed_when_asked_or_with_a_slash(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, BASE)
    assert not tree.listing(b"bin", follow=False).is_directory
    assert tree.listing(b"bin/", follow=False).is_directory


def test_what_is_in_a_link_is_listed_under_its_name(tmp_path: Path) -> None:
    assert paths(tree_of(tmp_path, BASE), "/bin") == ["/bin/sh"]


@pytest.mark.parametrize(
    "path", ["nope", "etc/motd/x", "etc/motd/", "usr/bin/sh/..", "etc/nope/.."]
)
def test_what_is_not_there_is_told(tmp_path: Path, path: str) -> None:
    with pytest.raises(NoSuchPath, match="cannot find"):
        tree_of(tmp_path, BASE).listing(path.encode())


def test_links_in_circles_are_told(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, [symlink("a", "b"), symlink("b", "a")])
    with pytest.raises(TooManyLinks):
        tree.listing(b"a")
    assert paths(tree) == ["/a", "/b"]


def test_nothing_leads_out_of_the_tree(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, [symlink("up", "../../../.."), symlink("root", "/"), file("a")])
    for path in ("up", "root", "../..", "up/up/root"):
        assert [Path(one).name for one in paths(tree, path)] == ["a", "root", "up"]


def test_names_that_are_no_utf8_come_back_as_they_were(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, [file("x")])
    odd = b"\xff\n\x1b[31m"
    tree.tree.root.children[odd] = tree.tree.root.children.pop(b"x")  # type: ignore[union-attr,index]
    (found,) = tree.listing(b"").files
    assert found.path.encode("utf-8", "surrogateescape") == b"/" + odd


# Several layers.


def test_the_tree_is_what_the_layers_come_to(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        [file("a", b"1"), file("d/x"), file("e/x")],
        [gone("a"), opaque("d"), file("d/y"), file("e/x", b"22")],
    )
    assert paths(tree) == ["/d", "/d/y", "/e", "/e/x"]
    assert [one.layer for one in tree.listing(b"e").files] == [1]


def test_a_directory_is_of_the_layer_that_gave_it_its_attributes(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, [folder("d"), folder("e")], [folder("d", 0o700)])
    assert [(one.path, one.layer) for one in tree.listing(b"").files] == [("/d", 1), ("/e", 0)]


def test_a_repeated_layer_is_read_once_and_counts_twice(tmp_path: Path) -> None:
    layer = [file("a")]
    tree = tree_of(tmp_path, layer, [gone("a")], layer)
    assert paths(tree) == ["/a"]
    assert tree.tocs[0] is tree.tocs[2]


def test_an_image_without_layers_is_empty(tmp_path: Path) -> None:
    tree = tree_of(tmp_path)
    assert paths(tree) == []
    assert tree.listing(b"/").is_directory


def test_a_layer_that_is_not_here_is_told(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, BASE)
    next((tmp_path / "blobs" / "sha256").glob(tree.image.layers[0].digest.encoded)).unlink()
    with pytest.raises(LayerNotHere):
        tree.listing(b"")


# One layer alone.

UPPER = [
    gone("etc/motd"),
    opaque("usr"),
    file("bin/x"),
    hardlink("far", "etc/deep/below"),
    file("twice", b"1"),
    file("twice", b"22"),
    symlink("bin", "usr/bin"),
]


def test_one_layer_shows_its_markers_and_links_as_it_has_them(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, [file("etc/deep/below")], UPPER)
    found = {one.path: one for one in tree.layer_listing(1, b"/", recursive=True).files}
    assert list(found) == [
        "/bin", "/bin/x", "/etc", "/etc/.wh.motd", "/far", "/twice", "/usr", "/usr/.wh..wh..opq",
    ]  # fmt: skip
    assert (found["/far"].kind, found["/far"].target) == ("hardlink", "etc/deep/below")
    assert found["/twice"].size == 2
    assert found["/bin"].kind == "symlink"
    assert {one.layer for one in found.values()} == {1}


def test_a_part_of_one_layer_is_found_without_following_links(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, [], UPPER)
    assert [one.path for one in tree.layer_listing(1, b"/bin").files] == ["/bin/x"]
    assert not tree.layer_listing(1, b"far").is_directory


@pytest.mark.parametrize("number", [-1, 2, 99])
def test_there_are_only_so_many_layers(tmp_path: Path, number: int) -> None:
    with pytest.raises(NoSuchLayer, match="the image has 2 layers"):
        tree_of(tmp_path, [], BASE).layer_listing(number, b"/")


def test_one_layer_alone_does_not_have_what_is_below(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, BASE, [file("a")])
    with pytest.raises(NoSuchPath, match="layer 1 has nothing at /etc"):
        tree.layer_listing(1, b"/etc/")


def test_one_layer_can_be_seen_though_the_layers_make_no_tree(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, [hardlink("a", "nowhere")])
    assert [one.path for one in tree.layer_listing(0, b"").files] == ["/a"]
