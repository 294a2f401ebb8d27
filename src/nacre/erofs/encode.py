"""The bytes of a tree once every inode has its place."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from operator import itemgetter

from nacre.erofs.chunks import MAX_CHUNK, WHOLE, chunk_format, encode_chunks, is_whole
from nacre.erofs.directories import encode_directory
from nacre.erofs.inode import Inode
from nacre.erofs.layout import Layout, fits_inline, tail_size
from nacre.erofs.order import invalid
from nacre.erofs.structures import (
    BLOCK,
    BLOCK_BITS,
    CHUNK_INDEX_SIZE,
    CHUNKED,
    DIR,
    INLINE,
    INODE_SIZE,
    NID_SIZE,
    NO_BLOCK,
    PLAIN,
    REG,
    SYMLINK,
    encode_chunk,
    encode_device_number,
    file_type,
    pack_inode,
    pack_whole_file,
)
from nacre.erofs.xattrs import count_of, encode_xattrs


def encode_tree(layout: Layout, start: int) -> Iterator[bytes]:
    """Yield the inodes and then the blocks of a tree, from byte ``start`` of the image on.

    Raises:
        InvalidTree: a number of an inode does not fit its field.
    """
    encoder = _Encoder(layout)
    order, position = layout.order, start
    rows = zip(order.inodes, layout.nids, layout.modes, order.links, strict=True)
    for number, (inode, nid, mode, links) in enumerate(rows):
        place = nid * NID_SIZE
        if place != position:
            yield bytes(place - position)
        kind, _, uid, gid, mtime, nsec, pairs, _, size, device, offset, extents, _, _, _ = inode
        try:
            if kind is REG and not pairs and extents is None and 0 < size <= MAX_CHUNK:
                # Nearly every file of nearly every image, so at once.
                # fmt: off
                data = pack_whole_file(
                    CHUNKED, 0, mode, size, WHOLE, number + 1, uid, gid, mtime, nsec, links,
                    0, device + 1, offset >> BLOCK_BITS,
                )
                # fmt: on
            else:
                data = encoder.encode(number, inode)
        except struct.error as problem:
            cause = ValueError("one of its numbers does not fit the format")
            raise invalid(order.inodes[0], inode, cause) from problem
        except ValueError as problem:
            raise invalid(order.inodes[0], inode, problem) from problem
        yield data
        position = place + len(data)
    yield bytes(layout.blocks_offset - position)
    yield from encoder.blocks


_Data = tuple[int, int, int]
"""What an inode says of its data: form, size and address."""


class _Encoder:
    def __init__(self, layout: Layout) -> None:
        self.blocks: list[bytes] = []
        self._layout = layout
        self._order = layout.order
        self._types = list(map(file_type, layout.modes))

    def encode(self, number: int, inode: Inode) -> bytes:
        """Return an inode and what follows it in its place."""
        kind = inode.kind
        xattrs = encode_xattrs(inode.xattrs)
        if kind is REG:
            data, behind = _file_data(inode, len(xattrs))
        elif kind is DIR:
            data, behind = self._place(number, len(xattrs), self._directory(number))
        elif kind is SYMLINK:
            data, behind = self._place(number, len(xattrs), inode.target)
        else:
            data, behind = (PLAIN, 0, encode_device_number(inode.devmajor, inode.devminor)), b""
        return self._head(number, inode, count_of(xattrs), data) + xattrs + behind

    def _directory(self, number: int) -> bytes:
        # At least two: ``.`` and ``..``.
        members = itemgetter(*self._order.members[number])
        return encode_directory(
            self._order.listings[number], members(self._layout.nids), members(self._types)
        )

    def _place(self, number: int, xattrs: int, data: bytes) -> tuple[_Data, bytes]:
        """Put data into blocks elsewhere, save for a last part that fits behind the inode."""
        size = len(data)
        is_inline = fits_inline(INODE_SIZE + xattrs, size)
        elsewhere = data[: size - tail_size(size)] if is_inline else data
        address = 0
        if elsewhere:
            address = self._layout.blocks_offset // BLOCK + self._layout.first_blocks[number]
            self.blocks.append(elsewhere + bytes(-len(elsewhere) % BLOCK))
        return (INLINE if is_inline else PLAIN, size, address), data[len(elsewhere) :]

    def _head(self, number: int, inode: Inode, xattr_count: int, data: _Data) -> bytes:
        form, size, address = data
        return pack_inode(
            form,
            xattr_count,
            self._layout.modes[number],
            size,
            address,
            number + 1,
            inode.uid,
            inode.gid,
            inode.mtime,
            inode.mtime_nsec,
            self._order.links[number],
        )


def _file_data(inode: Inode, xattrs: int) -> tuple[_Data, bytes]:
    size, extents = inode.size, inode.extents
    if not size:
        return (PLAIN, 0, NO_BLOCK), b""
    padding = bytes(-(INODE_SIZE + xattrs) % CHUNK_INDEX_SIZE) if xattrs else b""
    if is_whole(size, extents):
        index = encode_chunk(inode.device + 1, inode.data_offset >> BLOCK_BITS)
        return (CHUNKED, size, WHOLE), padding + index
    indexes = encode_chunks(size, inode.device, inode.data_offset, extents)
    return (CHUNKED, size, chunk_format(size, extents)), padding + indexes
