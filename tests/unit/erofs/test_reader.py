from __future__ import annotations

import mmap
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.erofs.errors import InvalidImage
from nacre.erofs.inode import Inode
from nacre.erofs.reader import MAX_PATH, Image, Stretch
from nacre.errors import NotFound
from nacre.layers.entry import Extent, Kind
from tests.unit.erofs.images import built, directory, file, link
from tests.unit.erofs.probing import patched, probe, resealed

SPARSE = (Extent(512, 512), Extent(1024, 512), Extent(2048, 100))
TREE = directory(
    {
        b"dir": directory({b"file": file(5), b"deeper": directory({b"x": file()})}),
        b"large": directory({b"%03d" % number: file(number) for number in range(100)}),
        b"link": link(b"dir/file"),
        b"long link": link(b"t" * 3000),
        b"null": Inode(Kind.CHR, devmajor=1, devminor=3),
        b"pipe": Inode(Kind.FIFO),
        b"sparse": Inode(Kind.REG, size=2148, device=1, data_offset=512, extents=SPARSE),
        b"with": file(9, device=1)._replace(
            xattrs=((b"security.x", b"value"), (b"user.y", b"another"))
        ),
    }
)
IMAGE = built(TREE)
SOUND = Image(IMAGE)

# Where the fields of an inode are.
FORM, XATTR_COUNT, MODE, SIZE, ADDRESS, NSEC = 0, 2, 4, 8, 16, 40


def at(path: bytes, field: int = 0) -> int:
    """Return where a field of an inode lies in the image."""
    return SOUND.lookup(path) * 32 + field


def inode_patched(path: bytes, field: int, form: str, *values: int | bytes) -> tuple[Image, int]:
    """Return the image with another value in an inode, and the number of that one."""
    return Image(patched(IMAGE, at(path, field), form, *values)), SOUND.lookup(path)


def test_lookup_goes_by_names() -> None:
    found = SOUND.inode(SOUND.lookup(b"dir/file"))
    assert (found.kind, found.size) == (Kind.REG, 5)
    assert SOUND.lookup(b"") == SOUND.root


@pytest.mark.parametrize(
    "path", [b"no", b"dir/no", b"link/file", b"dir/file/no", b"dir/", b"/", b"."]
)
def test_what_is_not_there_is_not_found(path: bytes) -> None:
    with pytest.raises(NotFound, match="no"):
        SOUND.lookup(path)


def test_walk_yields_directories_before_what_they_hold() -> None:
    found = [found.path for found in SOUND.walk()]
    assert found[:5] == [b"", b"dir", b"dir/deeper", b"dir/deeper/x", b"dir/file"]
    assert found[-7:] == [b"large/099", b"link", b"long link", b"null", b"pipe", b"sparse", b"with"]
    assert len(found) == 112


def test_stretches_that_meet_are_one() -> None:
    assert SOUND.stretches(SOUND.lookup(b"sparse")) == [
        Stretch(512, 1024, 1, 512),
        Stretch(2048, 100, 1, 1536),
    ]


def test_attributes_are_read() -> None:
    expected = ((b"security.x", b"value"), (b"user.y", b"another"))
    assert SOUND.xattrs(SOUND.lookup(b"with")) == expected
    assert SOUND.xattrs(SOUND.root) == ()


def test_an_image_can_be_a_memory_map(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(IMAGE + b"what follows is no part of it")
    with (
        (tmp_path / "image").open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as data,
    ):
        assert list(Image(data).walk()) == list(SOUND.walk())


@pytest.mark.parametrize("method", ["children", "target", "stretches"])
def test_each_kind_answers_its_own_questions(method: str) -> None:
    with pytest.raises(InvalidImage, match="is no|in chunks|not in the image"):
        getattr(SOUND, method)(SOUND.lookup(b"pipe"))


@pytest.mark.parametrize("nid", [0, 1 << 40, len(IMAGE) // 32, len(IMAGE) // 32 - 1])
def test_an_inode_lies_in_the_image(nid: int) -> None:
    with pytest.raises(InvalidImage, match=f"inode {nid} "):
        SOUND.inode(nid)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "end of the image"),
        (bytes(2048), "no EROFS superblock"),
        (IMAGE[:1535], "end of the image"),
        (IMAGE[:-1], "cut short"),
        (IMAGE[:1300] + b"\xff" + IMAGE[1301:], "checksum"),
        (IMAGE[:1029] + b"\xff" + IMAGE[1030:], "checksum"),
        (patched(IMAGE, 1024 + 12, "B", 12), "not supported"),  # blocks of 4096 bytes
        (patched(IMAGE, 1024 + 80, "I", 0xD), "not supported"),  # compression
        (patched(IMAGE, 1024 + 36, "I", 0xFFFFFFFF), "cut short"),
        (patched(IMAGE, 1024 + 36, "I", 1), "end of the image"),
        (patched(IMAGE, 1024 + 86, "H", 0xFFFF), "device table"),
        (patched(IMAGE, 1152 + 72, "H", 1), "device table"),
    ],
)
def test_a_malformed_superblock_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(InvalidImage, match=problem):
        Image(data)


@pytest.mark.parametrize(
    ("field", "form", "value"),
    [
        (FORM, "H", 0),  # a compact inode
        (FORM, "H", 3),  # compressed
        (FORM, "H", 0x8009),
        (MODE, "H", 0o140644),  # a socket
        (MODE, "H", 0o000644),
        (MODE, "H", 0o170644),
        (SIZE, "Q", 1 << 63),
        (NSEC, "I", 10**9),
        (6, "H", 1),
        (63, "B", 1),
    ],
)
def test_a_malformed_inode_is_refused(field: int, form: str, value: int) -> None:
    image, nid = inode_patched(b"dir/file", field, form, value)
    with pytest.raises(InvalidImage, match=f"inode {nid} "):
        image.inode(nid)


@pytest.mark.parametrize(
    ("field", "form", "value", "problem"),
    [
        (SIZE, "Q", (1 << 63) - 1, "end of the image"),  # millions of chunks
        (SIZE, "Q", (1 << 31), "beyond the end of its device"),
        (SIZE, "QI", (1 << 20, 0x20), "end of the image"),  # thousands of chunks
        (ADDRESS, "I", 0x1F, "in chunks"),  # no indexes
        (ADDRESS, "I", 0x7F, "in chunks"),  # 48 bits
        (FORM, "H", 1, "in chunks"),
        (64, "H", 1, "not supported"),  # the upper half of the block
        (66, "H", 0, "not supported"),  # no device
        (66, "H", 3, "beyond the end of its device"),
        (68, "I", 0xFFFFFFFE, "beyond the end of its device"),
        (XATTR_COUNT, "H", 0xFFFF, "end of the image"),
    ],
)
def test_malformed_chunks_are_refused(
    field: int, form: str, value: int | tuple[int, ...], problem: str
) -> None:
    values = value if isinstance(value, tuple) else (value,)
    image, nid = inode_patched(b"dir/file", field, form, *values)
    with pytest.raises(InvalidImage, match=problem):
        image.stretches(nid)


@pytest.mark.parametrize(
    ("field", "form", "value", "problem"),
    [
        (SIZE, "Q", 0, "not in the image"),
        (SIZE, "Q", 1 << 50, "not in the image"),
        (SIZE, "Q", 500, "end of a block"),
        (SIZE, "Q", 2000, "end of the image|malformed|end of a block"),
        (SIZE, "Q", 11, "too short"),
        (FORM, "H", 9, "not in the image"),
        (FORM, "H", 1, "directory block"),  # then its data is at block 0
        (64 + 8, "H", 13, "malformed"),
        (64 + 8, "H", 0, "malformed"),
        (64 + 8, "H", 600, "malformed"),
        (64 + 12 + 8, "H", 12, "malformed name"),
        (64 + 12 + 8, "H", 0xFFFF, "malformed name"),
        (64 + 48, "4s", b"./..", "malformed name"),
        (64 + 48, "4s", b".aad", "'.' or '..'"),
        (64 + 48, "4s", b"x..d", "not sorted"),
        (64, "Q", 5, "'.' or '..'"),  # the dot is another inode
    ],
)
def test_a_malformed_directory_is_refused(
    field: int, form: str, value: int | bytes, problem: str
) -> None:
    image, nid = inode_patched(b"dir", field, form, value)
    with pytest.raises(InvalidImage, match=problem):
        image.children(nid)


@pytest.mark.parametrize(("size", "problem"), [(0, "no symbolic link"), (4096, "no symbolic link")])
def test_a_malformed_link_is_refused(size: int, problem: str) -> None:
    image, nid = inode_patched(b"link", SIZE, "Q", size)
    with pytest.raises(InvalidImage, match=problem):
        image.target(nid)


def test_a_target_with_a_zero_byte_is_refused() -> None:
    image, nid = inode_patched(b"link", 64, "B", 0)
    with pytest.raises(InvalidImage, match="no path"):
        image.target(nid)


def test_blocks_elsewhere_lie_in_the_image() -> None:
    image, nid = inode_patched(b"large", ADDRESS, "I", 0xFFFFFFFF)
    with pytest.raises(InvalidImage, match="end of the image"):
        image.children(nid)


@pytest.mark.parametrize(
    ("offset", "form", "values"),
    [
        (0, "I", [1]),  # a filter
        (4, "B", [1]),  # a shared attribute
        (12, "B", [255]),  # a name beyond the end
        (13, "B", [5]),  # an unknown prefix
        (13, "B", [2]),  # a prefix that has nothing behind it
        (14, "H", [0xFFFF]),
        (13, "BHB", [1, 5, 0x7A]),  # user.z before user.y
    ],
)
def test_malformed_attributes_are_refused(offset: int, form: str, values: list[int]) -> None:
    image, nid = inode_patched(b"with", 64 + offset, form, *values)
    with pytest.raises(InvalidImage, match="attribute"):
        image.xattrs(nid)


def test_a_file_of_another_type_than_its_name_says_is_refused() -> None:
    image, _ = inode_patched(b"dir/file", MODE, "H", 0o120644)
    with pytest.raises(InvalidImage, match="'file'"):
        list(image.walk())
    with pytest.raises(InvalidImage, match="'file'"):
        image.lookup(b"dir/file")


def test_circles_are_refused() -> None:
    # What was "dir/deeper" now is "dir" itself.
    entry = IMAGE.index(struct.pack("<Q", SOUND.lookup(b"dir/deeper")), at(b"dir"))
    data = patched(IMAGE, entry, "Q", SOUND.lookup(b"dir"))
    with pytest.raises(InvalidImage, match="several names"):
        list(Image(data).walk())


def test_directories_that_meet_again_and_again_are_refused() -> None:
    # Each holds the next one twice: 2 ** 40 paths.
    tree = directory()
    for _ in range(40):
        tree = directory({b"a": tree, b"b": directory()})
    data = bytearray(built(tree))
    image = Image(bytes(data))
    nid = image.root
    for _ in range(40):
        a, b = image.children(nid)
        place = bytes(data).index(struct.pack("<Q", b.nid), nid * 32)
        struct.pack_into("<Q", data, place, a.nid)
        nid = a.nid
    with pytest.raises(InvalidImage, match="several names"):
        list(Image(resealed(bytes(data))).walk())


def test_paths_have_a_limit() -> None:
    tree = directory()
    for _ in range(MAX_PATH // 250 + 10):
        tree = directory({b"n" * 250: tree})
    with pytest.raises(InvalidImage, match="its path"):
        list(Image(built(tree)).walk())


edits = st.lists(
    st.tuples(
        st.integers(1024, len(IMAGE) - 8),
        st.one_of(
            st.binary(min_size=1, max_size=1),
            st.sampled_from([bytes(4), b"\xff" * 4, b"\xff" * 8, b"\1\0", b"\0\2", b".", b"/"]),
            st.integers(0, len(IMAGE) // 32).map(lambda nid: struct.pack("<Q", nid)),
        ),
    ),
    min_size=1,
    max_size=6,
)


@given(edits, st.booleans())
@settings(max_examples=400)
def test_whatever_the_bytes_reading_ends(edits: list[tuple[int, bytes]], seal: bool) -> None:
    data = bytearray(IMAGE)
    for place, value in edits:
        data[place : place + len(value)] = value
    probe(resealed(bytes(data)) if seal else bytes(data))


@given(st.integers(0, len(IMAGE)), st.binary(max_size=600))
def test_whatever_is_missing_reading_ends(end: int, more: bytes) -> None:
    probe(IMAGE[:end] + more)


@given(st.binary(max_size=3000))
def test_whatever_follows_a_superblock_reading_ends(noise: bytes) -> None:
    data = IMAGE[:1152] + noise
    data += bytes(-len(data) % 512 + 512)
    probe(patched(data, 1024 + 36, "I", len(data) // 512))
