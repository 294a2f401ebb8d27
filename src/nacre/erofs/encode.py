"""The bytes of one inode, and of what follows it in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nacre.erofs.chunks import (
    WHOLE,
    chunk_count,
    chunk_format,
    encode_chunks,
    is_whole,
    stored_size,
)
from nacre.erofs.inode import Inode
from nacre.erofs.structures import (
    BLOCK_BITS,
    CHUNK_INDEX_SIZE,
    CHUNKED,
    INODE_SIZE,
    MAX_TARGET,
    NO_BLOCK,
    PLAIN,
    REG,
    REGULAR,
    encode_chunk,
    encode_device_number,
    file_mode,
    pack_inode,
    pack_whole_file,
)
from nacre.erofs.xattrs import count_of, encode_xattrs

MAX_NANOSECONDS = 999_999_999


class Data(NamedTuple):
    """What an inode says of its data."""

    form: int
    """``PLAIN``, ``INLINE`` or ``CHUNKED``."""
    size: int
    address: int
    behind: bytes = b""
    """What follows the inode and its attributes."""


def encode_inode(inode: Inode, number: int, links: int, data: Data) -> bytes:
    """Return an inode and what follows it.

    Raises:
        ValueError: it is what the format cannot say.
        struct.error: a number does not fit its field.
    """
    if inode.mtime_nsec > MAX_NANOSECONDS:
        raise ValueError("its time has a second of nanoseconds")
    xattrs = encode_xattrs(inode.xattrs) if inode.xattrs else b""
    head = pack_inode(
        data.form,
        count_of(xattrs),
        file_mode(inode.kind, inode.mode),
        data.size,
        data.address,
        number,
        inode.uid,
        inode.gid,
        inode.mtime,
        inode.mtime_nsec,
        links,
    )
    return head + xattrs + data.behind


def encode_usual_file(  # noqa: PLR0917 - by position, for every file of an image
    number: int,
    mode: int,
    uid: int,
    gid: int,
    mtime: int,
    nanoseconds: int,
    size: int,
    device: int,
    offset: int,
) -> bytes:
    """Return the inode of a file of one name, without attributes and without holes.

    It has at most ``MAX_CHUNK`` bytes, begins at a multiple of 512 of them on its device, and
    ends inside that.

    Raises:
        struct.error: a number does not fit its field.
    """
    # fmt: off
    if size:
        return pack_whole_file(
            CHUNKED, 0, REGULAR | mode, size, WHOLE, number, uid, gid, mtime, nanoseconds, 1,
            0, device + 1, offset >> BLOCK_BITS,
        )
    return pack_inode(
        PLAIN, 0, REGULAR | mode, 0, NO_BLOCK, number, uid, gid, mtime, nanoseconds, 1
    )
    # fmt: on


def head_size(inode: Inode) -> int:
    """Return how many bytes an inode and its attributes take.

    Raises:
        ValueError: it has attributes that the format cannot say.
    """
    return INODE_SIZE + len(encode_xattrs(inode.xattrs)) if inode.xattrs else INODE_SIZE


def data_of(inode: Inode, device_sizes: Sequence[int]) -> Data:
    """Return the data of what is neither a directory nor a symbolic link.

    Raises:
        ValueError: it is what the format cannot say, or not on the devices of these sizes.
    """
    if inode.kind is not REG:
        return Data(PLAIN, 0, encode_device_number(inode.devmajor, inode.devminor))
    if not inode.size:
        return Data(PLAIN, 0, NO_BLOCK)
    return _data_of_file(inode, device_sizes)


def check_target(target: bytes) -> None:
    """Check what a symbolic link leads to.

    Raises:
        ValueError: it is no path.
    """
    if not 0 < len(target) <= MAX_TARGET or b"\0" in target:
        raise ValueError("its target is no path")


def _data_of_file(inode: Inode, device_sizes: Sequence[int]) -> Data:
    size, device, offset, extents = inode.size, inode.device, inode.data_offset, inode.extents
    if not chunk_count(size, offset, extents):
        raise ValueError("its data does not lie in whole blocks")
    if not 0 <= device < len(device_sizes):
        raise ValueError(f"it has its data on device {device}, which is not there")
    if offset + stored_size(size, extents) > device_sizes[device]:
        raise ValueError("its data goes beyond the end of its device")
    padding = bytes(-head_size(inode) % CHUNK_INDEX_SIZE)
    if is_whole(size, extents):
        return Data(CHUNKED, size, WHOLE, padding + encode_chunk(device + 1, offset >> BLOCK_BITS))
    indexes = encode_chunks(size, device, offset, extents)
    return Data(CHUNKED, size, chunk_format(size, extents), padding + indexes)
