from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from nacre.images.export import named, write_tar
from nacre.images.tree import ImageTree
from nacre.layers.entry import Kind
from nacre.layers.errors import LayerLimit
from tests.unit.images.shelves import tree_of
from tests.unit.images.test_contents import Counted
from tests.unit.layers.stacks import file, folder, gone, hardlink, special, symlink

LAYERS = (
    [
        folder("./", 0o750, mtime=9),
        folder("d", 0o700, uid=3),
        file("d/z", b"zz", mode=0o4711, uid=1, gid=2, mtime=1234, xattrs=((b"user.a", b"\0b"),)),
        hardlink("d/a", "d/z"),
        symlink("link", "../../etc"),
        special("null", Kind.CHR, devmajor=1, devminor=3),
        special("pipe", Kind.FIFO),
        file("old"),
    ],
    [gone("old"), file("new", b"n" * 3000), file("implied/x"), hardlink("over", "d/z")],
)


def exported(tree: ImageTree, name: bytes = b"", path: bytes = b"/") -> bytes:
    out = io.BytesIO()
    write_tar(out, named(tree.tree, tree.find(path), name), tree.layers)
    return out.getvalue()


def members(tar: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        return {member.name: member for member in opened}


@pytest.fixture(params=[True, False], ids=["compressed", "raw"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> ImageTree:
    return tree_of(tmp_path, *LAYERS, compressed=request.param)


def test_all_of_the_tree_is_in_the_tar(tree: ImageTree) -> None:
    assert list(members(exported(tree))) == [
        ".", "d", "d/a", "d/z", "implied", "implied/x", "link", "new", "null", "over", "pipe",
    ]  # fmt: skip


def test_what_is_in_a_directory_follows_it_and_nothing_else_comes_between(tmp_path: Path) -> None:
    layers = [folder("ro", 0o555), file("ro/f"), file("z"), folder("ro/sub", 0o555)]
    tree = tree_of(tmp_path, layers, [file("ro/sub/g", b"g"), file("ro.x")])
    assert list(members(exported(tree))) == ["ro", "ro/f", "ro/sub", "ro/sub/g", "ro.x", "z"]


def test_attributes_that_no_mounted_tree_shows_are_left_out(tmp_path: Path) -> None:
    pairs = ((b"security.capability", b"bad"), (b"security.selinux", b"x"), (b"user.a", b"1"))
    tree = tree_of(tmp_path, [file("f", xattrs=pairs), symlink("l", "f", xattrs=pairs[2:])])
    found = members(exported(tree))
    assert found["f"].pax_headers == {"SCHILY.xattr.user.a": "1"}
    assert found["l"].pax_headers == {}


def test_attributes_are_those_of_the_tree(tree: ImageTree) -> None:
    found = members(exported(tree))
    first = found["d/a"]
    assert (first.mode, first.uid, first.gid, first.mtime) == (0o4711, 1, 2, 1234)
    assert first.pax_headers["SCHILY.xattr.user.a"] == "\0b"
    assert (found["."].mode, found["."].mtime, found["d"].mode, found["d"].uid) == (
        0o750, 9, 0o700, 3,
    )  # fmt: skip
    assert found["implied"].mode == 0o755
    assert found["link"].linkname == "../../etc"
    assert (found["null"].devmajor, found["null"].devminor) == (1, 3)
    assert found["pipe"].isfifo()


def test_hard_links_are_kept(tree: ImageTree) -> None:
    found = members(exported(tree))
    assert found["d/a"].isreg()
    for name in ("d/z", "over"):
        assert (found[name].type, found[name].linkname) == (tarfile.LNKTYPE, "d/a")


def test_contents_are_those_of_the_files(tree: ImageTree) -> None:
    with tarfile.open(fileobj=io.BytesIO(exported(tree))) as opened:
        for name, body in (("d/a", b"zz"), ("over", b"zz"), ("new", b"n" * 3000)):
            extracted = opened.extractfile(name)
            assert extracted is not None
            assert extracted.read() == body


def test_the_bytes_do_not_depend_on_the_form_of_the_layers(tmp_path: Path) -> None:
    forms = [
        exported(tree_of(tmp_path / str(compressed), *LAYERS, compressed=compressed))
        for compressed in (True, False)
    ]
    assert forms[0] == forms[1]


@pytest.mark.parametrize("compressed", [True, False])
def test_layers_in_the_order_of_the_tree_are_read_once(tmp_path: Path, compressed: bool) -> None:
    below, above = [file("a", b"a"), file("b", b"b")], [file("c", b"c")]
    tree = tree_of(tmp_path, below, above, compressed=compressed)
    counted = Counted(tree.layers)
    write_tar(io.BytesIO(), named(tree.tree, tree.tree.root), counted)  # type: ignore[arg-type]
    assert counted.opened == list(tree.image.diff_ids)


def test_compressed_layers_in_another_order_are_inflated_once(tmp_path: Path) -> None:
    bodies = {name: name.encode() * 1000 for name in "fedcba"}
    files = [file(name, body) for name, body in bodies.items()]
    tree = tree_of(tmp_path, files[::2], files[1::2])
    counted, out = Counted(tree.layers), io.BytesIO()
    write_tar(out, named(tree.tree, tree.tree.root), counted, spool=tmp_path)  # type: ignore[arg-type]
    assert counted.opened == list(tree.image.diff_ids)
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as opened:
        for name in sorted(bodies):
            extracted = opened.extractfile(name)
            assert extracted is not None
            assert extracted.read() == bodies[name]
    assert not list(tmp_path.glob("nacre-*"))


def test_what_has_to_wait_does_so_elsewhere_where_the_folder_is_read_only(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, [file("b", b"b"), file("a", b"a")])
    out = io.BytesIO()
    write_tar(out, named(tree.tree, tree.tree.root), tree.layers, spool=Path("/proc"))
    assert list(members(out.getvalue())) == ["a", "b"]


def test_a_root_that_no_layer_lists_is_left_out(tmp_path: Path) -> None:
    assert list(members(exported(tree_of(tmp_path, [file("a")])))) == ["a"]


def test_a_part_goes_by_the_name_it_is_given(tree: ImageTree) -> None:
    assert list(members(exported(tree, b"x", b"d"))) == ["x", "x/a", "x/z"]
    assert list(members(exported(tree, b"", b"d"))) == [".", "a", "z"]
    assert list(members(exported(tree, b"x", b"new"))) == ["x"]


def test_a_hard_link_whose_other_name_lies_outside_is_a_file(tree: ImageTree) -> None:
    assert members(exported(tree, b"over", b"over"))["over"].isreg()


def test_endless_holes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, [file("a", b"x" * 600), file("b", b"y" * 600)])
    out = io.BytesIO()
    with pytest.raises(LayerLimit):
        write_tar(out, named(tree.tree, tree.tree.root), tree.layers, max_size=1000)
    assert not out.getvalue()
