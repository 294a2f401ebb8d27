from __future__ import annotations

import io
import struct
from itertools import chain

import pytest
from hypothesis import given

from nacre.erofs.errors import InvalidImage, InvalidTree
from nacre.erofs.inode import Device, Inode
from nacre.erofs.reader import Image
from nacre.erofs.source import InodeTree
from nacre.erofs.structures import CHUNKED, INLINE, PLAIN, DiskInode, crc32c
from nacre.erofs.writer import write_image
from nacre.layers.entry import Extent, Kind
from tests.unit.erofs.images import DEVICES, built, directory, file, link, read_back, trees


def only(root: Inode) -> tuple[Image, int]:
    """Return the image of a tree with one file, and the number of that one."""
    image = Image(built(root))
    return image, image.children(image.root)[0].nid


def stored(inode: Inode) -> DiskInode:
    """Return what becomes of an inode below the root."""
    image, nid = only(directory({b"x": inode}))
    return image.inode(nid)


@given(trees)
def test_what_is_written_is_read(root: Inode) -> None:
    assert read_back(Image(built(root))) == root


@given(trees)
def test_the_same_tree_gives_the_same_bytes(root: Inode) -> None:
    turned = root._replace(children=dict(reversed(list(root.children.items()))))
    assert built(root) == built(turned)


def test_the_uuid_follows_from_the_content() -> None:
    tree = directory({b"x": file(5)})
    uuids = [
        Image(data).superblock.uuid
        for data in (
            built(tree),
            built(tree, volume_name=b"nacre"),
            built(tree, [Device(b"uno", DEVICES[0].size)]),
            built(directory({b"y": file(5)})),
        )
    ]
    assert len(set(uuids)) == 4
    assert {uuid[6] >> 4 for uuid in uuids} == {8}
    assert {uuid[8] >> 6 for uuid in uuids} == {2}


def test_the_volume_can_have_a_name() -> None:
    data = built(directory(), volume_name=b"sixteen bytes ok")
    assert data[1024 + 64 :][:16] == Image(data).superblock.volume_name == b"sixteen bytes ok"


def test_the_superblock_says_what_the_kernel_wants_to_know() -> None:
    data = built(directory({b"x": file(5)}))
    assert data[:1024] == bytes(1024)
    magic, _, compat, block_bits, slots, root_nid, inodes = struct.unpack_from(
        "<IIIBBHQ", data, 1024
    )
    assert (magic, compat, block_bits, slots) == (0xE0F5E1E2, 0x3, 9, 0)
    assert (root_nid, inodes) == (36 + 4 * 2, 2)
    assert struct.unpack_from("<I", data, 1024 + 36) == (len(data) // 512,)
    assert struct.unpack_from("<IHHH", data, 1024 + 80) == (0xC, 0, 2, 9)


def test_the_checksum_covers_the_block_of_the_superblock() -> None:
    data = built(directory({b"x": file(5)}))
    blank = data[1024:1028] + bytes(4) + data[1032:1536]
    assert struct.unpack_from("<I", data, 1028) == (crc32c(blank),)


def test_crc32c_is_castagnolis() -> None:
    assert crc32c(b"123456789") ^ 0xFFFFFFFF == 0xE3069283


@pytest.mark.parametrize("count", [0, 1, 3, 4, 500])
def test_inodes_begin_behind_the_device_table_with_the_root(count: int) -> None:
    devices = [Device(b"%064x" % number, 5000 + number) for number in range(count)]
    image = Image(built(directory({b"x": file()}), devices))
    assert image.root == 36 + 4 * count
    assert image.devices == tuple(Device(tag, 5120 + size // 5121 * 512) for tag, size in devices)
    assert image.superblock.devices == count


def test_a_device_address_lies_behind_the_image_and_the_devices_before() -> None:
    devices = [Device(b"a", 1025), Device(b"b", 1 << 40), Device(b"c", 1 << 40), Device(b"d", 1)]
    data = built(directory(), devices)
    addresses = [struct.unpack_from("<II", data, 1152 + 128 * n + 64) for n in range(4)]
    primary = len(data) // 512
    assert addresses == [
        (3, primary),
        (1 << 31, primary + 3),
        (1 << 31, primary + 3 + (1 << 31)),
        (1, 0xFFFFFFFF),  # there is no address for it: saturated, and nothing is there
    ]


@pytest.mark.parametrize("size", [1, 2, 511, 512, 513, 70_000, (1 << 31) + 1, (1 << 32) + 5])
def test_a_file_of_any_size_is_one_chunk(size: int) -> None:
    image, nid = only(directory({b"x": file(size, device=1, data_offset=1024)}))
    inode = image.inode(nid)
    assert (inode.form, inode.size, inode.address) == (CHUNKED, size, 0x3F)
    assert image.stretches(nid) == [(0, size, 1, 1024)]


def test_a_file_of_more_than_a_terabyte_is_several_chunks() -> None:
    size = (1 << 40) + 600
    image, nid = only(directory({b"x": file(size, device=1, data_offset=512)}))
    assert image.stretches(nid) == [(0, size, 1, 512)]


def test_an_empty_file_has_no_data() -> None:
    inode = stored(file(device=1, data_offset=3))
    assert (inode.form, inode.size, inode.address) == (PLAIN, 0, 0xFFFFFFFF)


def test_a_sparse_file_has_chunks_as_large_as_its_holes_allow() -> None:
    extents = (Extent(4096, 8192), Extent(20480, 100))
    inode = Inode(Kind.REG, size=20580, data_offset=1024, extents=extents)
    image, nid = only(directory({b"x": inode}))
    assert image.inode(nid).address == 0x20 | 3
    assert image.stretches(nid) == [(4096, 8192, 0, 1024), (20480, 100, 0, 1024 + 8192)]


def test_a_file_of_nothing_but_a_hole() -> None:
    inode = Inode(Kind.REG, size=1 << 40, extents=())
    image, nid = only(directory({b"x": inode}))
    assert (image.inode(nid).size, image.stretches(nid)) == (1 << 40, [])


def test_the_end_of_a_hole_at_the_end_counts_for_nothing() -> None:
    inode = Inode(Kind.REG, size=1000, extents=(Extent(0, 512),))
    image, nid = only(directory({b"x": inode}))
    assert image.stretches(nid) == [(0, 512, 0, 0)]


@pytest.mark.parametrize("length", [1, 100, 448])
def test_a_short_target_lies_behind_its_inode(length: int) -> None:
    assert stored(link(b"t" * length)).form == INLINE


@pytest.mark.parametrize(
    ("length", "form"), [(449, PLAIN), (512, PLAIN), (513, INLINE), (4095, PLAIN)]
)
def test_a_long_target_lies_in_blocks(length: int, form: int) -> None:
    image, nid = only(directory({b"x": link(b"t" * length)}))
    assert image.inode(nid).form == form
    assert image.target(nid) == b"t" * length


def test_what_lies_behind_an_inode_is_in_the_same_block() -> None:
    image = Image(built(directory({b"%d" % n: link(b"t" * (n * 7 % 440 + 1)) for n in range(300)})))
    for found in image.walk():
        if found.inode.form == INLINE:
            tail = (found.inode.size - 1) % 512 + 1
            assert found.nid * 32 % 512 + 64 + tail <= 512


def test_attributes_push_data_into_blocks() -> None:
    inode = link(b"t" * 400)._replace(xattrs=((b"security.x", b"v" * 100),))
    assert stored(inode).form == PLAIN


def test_names_may_sort_before_the_dot() -> None:
    names = [b"\x01", b"!", b"+x", b"-", b".-", b"...", b".wh.x", b"0", b"\xff"]
    image = Image(built(directory({name: file() for name in reversed(names)})))
    assert [entry.name for entry in image.children(image.root)] == names
    assert image.inode(image.root).size == 12 * 11 + 3 + sum(map(len, names))


def test_names_of_255_bytes_have_a_block_each() -> None:
    names = [bytes([97 + number]) * 255 for number in range(9)]
    image = Image(built(directory({name: file() for name in names})))
    assert [entry.name for entry in image.children(image.root)] == names
    assert image.inode(image.root).size == 8 * 512 + 12 + 255


def test_a_directory_of_100_000_names() -> None:
    names = [b"%06d" % number for number in range(100_000)]
    shared = file(7)
    image = Image(built(directory(dict.fromkeys(names, shared))))
    assert [entry.name for entry in image.children(image.root)] == names
    assert image.inode(image.lookup(b"099999")).nlink == 100_000


def test_an_empty_directory_holds_itself_and_the_one_above() -> None:
    image, nid = only(directory({b"x": directory()}))
    assert image.children(nid) == []
    assert image.inode(nid).size == 27
    assert (image.inode(nid).nlink, image.inode(image.root).nlink) == (2, 3)


def test_a_deep_tree() -> None:
    root = file(1)
    for _ in range(3000):
        root = directory({b"d": root})
    assert sum(1 for _ in Image(built(root)).walk()) == 3001


def test_hard_links_are_one_inode() -> None:
    one, two = file(3), file(3)
    image = Image(built(directory({b"a": one, b"d": directory({b"b": one}), b"c": two})))
    assert image.lookup(b"a") == image.lookup(b"d/b") != image.lookup(b"c")
    assert image.inode(image.lookup(b"a")).nlink == 2
    assert image.superblock.inodes == 4


@pytest.mark.parametrize("kind", [Kind.CHR, Kind.BLK])
@pytest.mark.parametrize(("major", "minor"), [(0, 0), (8, 1), (0xFFF, 0xFFFFF), (259, 65536)])
def test_devices_keep_their_numbers(kind: Kind, major: int, minor: int) -> None:
    inode = stored(Inode(kind, devmajor=major, devminor=minor))
    assert (inode.kind, inode.devmajor, inode.devminor) == (kind, major, minor)


@pytest.mark.parametrize("time", [-(1 << 63), -1, 0, 1 << 40, (1 << 63) - 1])
def test_times_have_64_bits_and_a_sign(time: int) -> None:
    inode = stored(Inode(Kind.REG, mtime=time, mtime_nsec=999_999_999))
    assert (inode.mtime, inode.mtime_nsec) == (time, 999_999_999)


@pytest.mark.parametrize(
    ("inode", "problem"),
    [
        (Inode(Kind.REG, mode=0o10000), "twelve bits"),
        (Inode(Kind.REG, mode=-1), "twelve bits"),
        (file(5)._replace(mode=0o10000), "twelve bits"),
        (file(5)._replace(mode=-1), "twelve bits"),
        (file(5)._replace(mtime_nsec=10**9), "nanoseconds"),
        (file(5)._replace(mtime_nsec=-1), "numbers does not fit"),
        (Inode(Kind.LINK), "no file of its own"),
        (link(b""), "target"),
        (link(b"t" * 4096), "target"),
        (link(b"a\0b"), "target"),
        (Inode(Kind.REG, uid=1 << 32), "numbers does not fit"),
        (Inode(Kind.REG, gid=-1), "numbers does not fit"),
        (Inode(Kind.REG, mtime=1 << 63), "numbers does not fit"),
        (Inode(Kind.REG, mtime_nsec=10**9), "nanoseconds"),
        (Inode(Kind.REG, mtime_nsec=-1), "numbers does not fit"),
        (Inode(Kind.CHR, devmajor=0x1000), "too large"),
        (Inode(Kind.BLK, devminor=0x100000), "too large"),
        (file(5, device=2), "device 2"),
        (file(5, device=-1), "device -1"),
        (file(5, data_offset=100), "whole blocks"),
        (file(5, data_offset=DEVICES[0].size), "beyond the end of its device"),
        (file((1 << 30) + 1), "beyond the end of its device"),
        (file(1)._replace(xattrs=((b"system.nfs4_acl", b""),)), "system.nfs4_acl"),
        (directory({b"": file()}), "empty"),
        (directory({b".": file()}), "'.'"),
        (directory({b"..": file()}), "'.'"),
        (directory({b"a/b": file()}), "slash"),
        (directory({b"a": file(), b"b\0": file()}), "zero byte"),
        (directory({b"n" * 256: file()}), "255 bytes"),
    ],
)
def test_what_the_format_cannot_say_is_refused_by_name(inode: Inode, problem: str) -> None:
    tree = directory({b"some": directory({b"where": inode}), b"else": file(9)})
    out = io.BytesIO()
    with pytest.raises(InvalidTree, match=problem) as caught:
        write_image(out, InodeTree(tree), DEVICES)
    assert caught.value.path == b"some/where"
    assert "'/some/where'" in str(caught.value)
    with pytest.raises(InvalidImage):
        Image(out.getvalue())


@pytest.mark.parametrize(
    "extents",
    [
        (Extent(100, 512),),  # begins inside a block
        (Extent(512, 100),),  # ends inside one before the end
        (Extent(1024, 512), Extent(512, 512)),
        (Extent(0, 512), Extent(0, 512)),
        (Extent(512, 0),),
        (Extent(1536, 1024),),  # goes beyond the end
    ],
)
def test_a_map_that_does_not_go_by_blocks_is_refused(extents: tuple[Extent, ...]) -> None:
    with pytest.raises(InvalidTree, match="whole blocks"):
        built(directory({b"x": Inode(Kind.REG, size=2048, extents=extents)}))


def test_a_directory_has_one_name() -> None:
    shared = directory()
    with pytest.raises(InvalidTree, match="several names"):
        built(directory({b"a": shared, b"b": shared}))


def test_a_tree_has_no_circles() -> None:
    children: dict[bytes, Inode] = {}
    root = directory(children)
    children[b"again"] = root
    with pytest.raises(InvalidTree, match="several names"):
        built(root)


def test_the_root_is_a_directory() -> None:
    with pytest.raises(InvalidTree, match="no directory"):
        built(file())


@pytest.mark.parametrize(
    ("devices", "volume_name", "problem"),
    [
        ([Device(b"t" * 65, 5)], b"", "'ttt"),
        ([Device(b"t", (1 << 41) - 511)], b"", "'t'"),
        ([Device(b"", 0)] * 16_001, b"", "16001 devices"),
        ([], b"n" * 17, "volume name"),
    ],
)
def test_devices_and_names_have_limits(
    devices: list[Device], volume_name: bytes, problem: str
) -> None:
    with pytest.raises(InvalidTree, match=problem):
        built(directory(), devices, volume_name=volume_name)


def test_what_was_cut_short_is_no_image() -> None:
    class Full(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            raise OSError("killed before the end")

    out = Full()
    with pytest.raises(OSError, match="killed"):
        write_image(out, InodeTree(directory({b"x": file(5)})), DEVICES)
    with pytest.raises(InvalidImage, match="no EROFS superblock"):
        Image(out.getvalue())


def test_the_data_of_a_file_is_never_in_the_image() -> None:
    tree = directory({b"%d" % size: file(size) for size in chain(range(1, 600, 37), [10**6])})
    for found in Image(built(tree)).walk():
        assert found.inode.kind is Kind.DIR or found.inode.form == CHUNKED
