from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.erofs.inode import Device
from nacre.erofs.structures import (
    HOLE,
    NO_BLOCK,
    DiskInode,
    Superblock,
    decode_chunk,
    decode_device,
    decode_inode,
    decode_superblock,
    encode_chunk,
    encode_device,
    encode_device_number,
    encode_superblock,
    file_mode,
    file_type,
    inodes_offset,
    pack_inode,
)
from nacre.layers.entry import Kind

words = st.integers(0, 2**32 - 1)
KINDS = [kind for kind in Kind if kind is not Kind.LINK]


@given(
    st.builds(
        Superblock,
        root_nid=st.integers(0, 0xFFFF),
        inodes=st.integers(0, 2**64 - 1),
        blocks=words,
        devices=st.integers(0, 0xFFFF),
        uuid=st.binary(min_size=16, max_size=16),
        volume_name=st.binary(max_size=16).filter(lambda name: not name.endswith(b"\0")),
        checksum=words,
    )
)
def test_a_superblock_is_read_as_it_was_written(superblock: Superblock) -> None:
    assert decode_superblock(encode_superblock(superblock)) == superblock


@given(
    st.builds(
        DiskInode,
        form=st.sampled_from([1, 5, 9]),
        xattr_count=st.integers(0, 0xFFFF),
        mode=st.builds(file_mode, st.sampled_from(KINDS), st.integers(0, 0o7777)),
        size=st.integers(0, 2**63 - 1),
        address=words,
        number=words,
        uid=words,
        gid=words,
        mtime=st.integers(-(2**63), 2**63 - 1),
        mtime_nsec=st.integers(0, 10**9 - 1),
        nlink=words,
    )
)
def test_an_inode_is_read_as_it_was_written(inode: DiskInode) -> None:
    assert decode_inode(pack_inode(*inode)) == inode


@given(st.integers(0, 0xFFF), st.integers(0, 0xFFFFF))
def test_device_numbers_are_read_as_they_were_written(major: int, minor: int) -> None:
    number = encode_device_number(major, minor)
    inode = DiskInode(1, 0, file_mode(Kind.CHR, 0), 0, number, 1, 0, 0, 0, 0, 1)
    assert (inode.devmajor, inode.devminor) == (major, minor)


def test_device_numbers_lie_as_the_kernel_encodes_them() -> None:
    assert encode_device_number(0xABC, 0xDEF12) == 0xDEFABC12


@given(st.integers(1, 0xFFFF), st.integers(0, NO_BLOCK - 1))
def test_chunks_are_read_as_they_were_written(device: int, block: int) -> None:
    assert decode_chunk(encode_chunk(device, block)) == (device, block)


def test_a_hole_is_no_chunk() -> None:
    assert decode_chunk(HOLE) is None
    assert HOLE[4:] == b"\xff" * 4


def test_a_device_is_known_by_its_tag_and_blocks() -> None:
    slot = encode_device(Device(b"tag", 513), 77)
    assert len(slot) == 128
    assert slot[:72] == b"tag".ljust(64, b"\0") + bytes([2, 0, 0, 0, 77, 0, 0, 0])
    assert decode_device(slot) == Device(b"tag", 1024)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_type_of_its_own(kind: Kind) -> None:
    types = {file_type(file_mode(other, 0)) for other in KINDS}
    assert len(types) == len(KINDS)
    assert file_type(file_mode(kind, 0)) == file_type(file_mode(kind, 0o7777))


def test_inodes_begin_behind_superblock_and_devices() -> None:
    assert inodes_offset(0) == 1024 + 128
    assert inodes_offset(2) == 1024 + 128 + 2 * 128
