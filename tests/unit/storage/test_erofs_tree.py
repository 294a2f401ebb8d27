"""From the union of layers to what the EROFS writer takes."""

from __future__ import annotations

import io
from typing import Any

import pytest

from nacre.erofs.inode import Device, Inode
from nacre.erofs.source import Source
from nacre.erofs.writer import write_image
from nacre.layers.entry import Entry, Extent, Kind
from nacre.layers.toc import Toc, toc_of
from nacre.layers.union import BadLayer, Node, union
from nacre.oci.digest import Digest
from nacre.storage.erofs.devices import COMPANION
from nacre.storage.erofs.tree import Plan, plan

A, B, C = (Digest.of(name) for name in (b"a", b"b", b"c"))


def reg(name: str, size: int = 1, **attributes: Any) -> Entry:
    return Entry(name.encode(), Kind.REG, size=size, stored_size=size, **attributes)


def layer(digest: Digest, *entries: Entry, size: int = 4096) -> Toc:
    return toc_of(entries, layer=digest, size=size)


def planned(*tocs: Toc, below_overlay: bool = False) -> Plan:
    return plan(union(tocs), below_overlay=below_overlay)


def device(digest: Digest, size: int = 4096) -> Device:
    return Device(digest.encoded.encode(), size)


def node_at(found: Plan, path: str) -> Node:
    node = found.source.root
    for name in path.split("/"):
        node = found.source.children(node)[name.encode()]
    return node


def at(found: Plan, path: str) -> Inode:
    return found.source.inode(node_at(found, path))


def test_no_layers_are_an_empty_root() -> None:
    found = planned()
    assert found == Plan(found.source, (), (), 0, False)
    assert found.source.inode(found.source.root) == Inode(Kind.DIR, 0o755)
    assert found.source.children(found.source.root) == {}


def test_a_file_has_all_its_attributes() -> None:
    entry = reg(
        "f", 700, mode=0o4751, uid=5, gid=6, mtime=-7, mtime_nsec=8, data_offset=1024,
        xattrs=((b"user.a", b"1"),),
    )  # fmt: skip
    assert at(planned(layer(A, entry)), "f") == Inode(
        Kind.REG, 0o4751, 5, 6, -7, 8, ((b"user.a", b"1"),), size=700, data_offset=1024
    )


def test_links_and_devices() -> None:
    link = Entry(b"l", Kind.SYMLINK, 0o777, linkname=b"there")
    disk = Entry(b"d", Kind.BLK, 0o660, devmajor=8, devminor=17)
    found = planned(layer(A, link, disk, Entry(b"p", Kind.FIFO, 0o600)))
    assert at(found, "l") == Inode(Kind.SYMLINK, 0o777, target=b"there")
    assert at(found, "d") == Inode(Kind.BLK, 0o660, devmajor=8, devminor=17)
    assert at(found, "p") == Inode(Kind.FIFO, 0o600)
    assert found.devices == ()


def test_the_names_of_a_file_share_an_inode() -> None:
    link = Entry(b"d/second", Kind.LINK, linkname=b"first")
    found = planned(layer(A, reg("first"), link))
    assert node_at(found, "first") is node_at(found, "d/second")


class Slow:
    """A source that says of no file that it is a usual one."""

    def __init__(self, source: Source[Node]) -> None:
        self.root = source.root
        self.inode = source.inode
        self.children = source.children

    def usual_file(self, _node: Node, _number: int) -> None:
        return None


def test_usual_files_are_encoded_as_any_other() -> None:
    selinux, user = (b"security.selinux", b"s"), (b"user.a", b"1")
    found = planned(
        layer(
            A,
            reg("late", 500, data_offset=3584),
            reg("empty", 0, mode=0o4755, uid=7, gid=8, mtime=-9, mtime_nsec=10),
            reg("d/f", 700, mode=0o600, uid=1, gid=2, mtime=3, mtime_nsec=4, data_offset=1024),
            reg("masked", xattrs=(selinux,)),
            reg("labelled", xattrs=(selinux, user)),
            reg("sparse", 1024, sparse=(Extent(512, 512),)),
            Entry(b"link", Kind.LINK, linkname=b"d/f"),
        ),
        layer(B, reg("b"), Entry(b"d", Kind.SYMLINK, linkname=b"e"), off_block("off")),
        layer(A, reg("c", 5), Entry(b"second", Kind.LINK, linkname=b"c")),
    )
    quick, slow = io.BytesIO(), io.BytesIO()
    write_image(quick, found.source, found.devices)
    write_image(slow, Slow(found.source), found.devices)
    assert quick.getvalue() == slow.getvalue()


def test_equal_files_do_not() -> None:
    found = planned(layer(A, reg("first"), reg("second")))
    assert node_at(found, "first") is not node_at(found, "second")


def test_implied_directories_are_roots() -> None:
    found = planned(layer(A, reg("a/b/f")))
    assert at(found, "a/b") == Inode(Kind.DIR, 0o755)


def test_each_layer_that_has_data_is_a_device() -> None:
    found = planned(layer(A, reg("a"), size=512), layer(B, reg("b")))
    assert found.devices == (device(A, 512), device(B))
    assert [at(found, name).device for name in "ab"] == [0, 1]


def test_a_layer_without_data_is_none() -> None:
    found = planned(layer(A, Entry(b"d", Kind.DIR), reg("empty", 0)), layer(B, reg("b")))
    assert found.devices == (device(B),)
    assert at(found, "b").device == 0


def test_nor_is_one_whose_data_is_hidden() -> None:
    found = planned(layer(A, reg("a")), layer(B, reg("a", mode=0o600)))
    assert found.devices == (device(B),)


def test_a_repeated_layer_is_one_device() -> None:
    base, other = layer(A, reg("a"), reg("x")), layer(B, reg("a"), reg("b"))
    found = planned(base, other, base)
    assert found.devices == (device(A), device(B))
    assert [at(found, name).device for name in ("a", "b", "x")] == [0, 1, 0]


def test_a_sparse_file_by_blocks_stays_where_it_is() -> None:
    extents = (Extent(512, 512), Extent(2048, 10))
    entry = reg("s", 2058, sparse=extents)._replace(stored_size=522, data_offset=512)
    found = planned(layer(A, entry))
    assert (found.devices, found.written_out) == ((device(A),), ())
    assert at(found, "s").extents == extents


def off_block(name: str, size: int = 5000) -> Entry:
    return reg(name, size, sparse=(Extent(100, 10),))._replace(stored_size=10, data_offset=512)


def test_other_sparse_files_are_written_out() -> None:
    found = planned(layer(A, off_block("s"), off_block("t")), layer(B, reg("b")))
    assert found.devices == (device(A), device(B), Device(COMPANION, 2 * 5120))
    assert [(file.node.toc.paths[file.node.row], file.offset) for file in found.written_out] == [
        (b"s", 0),
        (b"t", 5120),
    ]
    s, t = at(found, "s"), at(found, "t")
    assert (s.device, s.data_offset, s.extents, s.size) == (2, 0, None, 5000)
    assert (t.device, t.data_offset) == (2, 5120)


def test_a_written_out_file_of_several_names_is_written_once() -> None:
    link = Entry(b"second", Kind.LINK, linkname=b"s")
    found = planned(layer(A, off_block("s"), link))
    assert len(found.written_out) == 1
    assert node_at(found, "s") is node_at(found, "second")


def test_one_that_is_larger_than_a_device_is_refused() -> None:
    with pytest.raises(BadLayer, match="the sparse file 'd/s' of") as caught:
        planned(layer(A, reg("x")), layer(B, off_block("d/s", 1 << 42)))
    assert (caught.value.layer, caught.value.path) == (1, b"d/s")


def test_attributes_that_the_format_or_the_machine_does_not_have_are_left_out() -> None:
    names = (b"security.capability", b"security.selinux", b"system.nfs4_acl", b"user.x", b"wrong")
    entry = reg("f", xattrs=tuple((name, b"v") for name in names))
    assert at(planned(layer(A, entry)), "f").xattrs == ((b"user.x", b"v"),)


@pytest.mark.parametrize("kind", [Kind.SYMLINK, Kind.FIFO, Kind.CHR])
def test_only_files_and_directories_have_attributes_of_users(kind: Kind) -> None:
    pairs = ((b"trusted.a", b"1"), (b"user.a", b"1"))
    entry = Entry(b"x", kind, linkname=b"t" if kind is Kind.SYMLINK else b"", xattrs=pairs)
    assert at(planned(layer(A, entry)), "x").xattrs == pairs[:1]


def test_names_that_get_too_long_when_they_are_escaped_are_left_out() -> None:
    name = b"trusted.overlay." + b"n" * 235
    entry = reg("f", xattrs=((name, b"1"),))
    assert at(planned(layer(A, entry)), "f").xattrs == ((name, b"1"),)
    assert at(planned(layer(A, entry), below_overlay=True), "f").xattrs == ()


@pytest.mark.parametrize(
    ("tar_size", "is_written_out"), [(1112, True), (1535, True), (1536, False)]
)
def test_what_ends_inside_the_last_block_of_a_tar_is_written_out(
    tar_size: int, is_written_out: bool
) -> None:
    found = planned(layer(A, reg("f", 600, data_offset=512), size=tar_size))
    assert bool(found.written_out) == is_written_out


OVERLAY = ((b"trusted.a", b"1"), (b"trusted.overlay.opaque", b"y"), (b"trusted.p", b"2"))


def test_attributes_of_overlayfs_stay_where_none_is_above() -> None:
    found = planned(layer(A, Entry(b"d", Kind.DIR, xattrs=OVERLAY)))
    assert (at(found, "d").xattrs, found.overlaid) == (OVERLAY, True)


def test_below_an_overlay_they_are_escaped_and_sorted_again() -> None:
    xattrs = (
        (b"trusted.overlay.a", b"0"),
        (b"trusted.overlay.p", b"1"),
        (b"trusted.overlay.opaque", b"y"),
    )
    found = planned(
        layer(A, Entry(b"d", Kind.DIR, xattrs=tuple(sorted(xattrs)))), below_overlay=True
    )
    assert at(found, "d").xattrs == (
        (b"trusted.overlay.overlay.a", b"0"),
        (b"trusted.overlay.overlay.opaque", b"y"),
        (b"trusted.overlay.overlay.p", b"1"),
    )


def test_without_them_nothing_differs() -> None:
    found = planned(layer(A, reg("f", xattrs=((b"user.overlay.opaque", b"y"),))))
    assert not found.overlaid
