"""Reading an image that nacre wrote, without mounting it. Trusts no byte of it.

Whatever the bytes, a method ends, in time proportional to the image, with an answer or with
``InvalidImage``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from mmap import mmap
from typing import NamedTuple

from nacre.erofs.directories import DirEntry, decode_block
from nacre.erofs.errors import InvalidImage, shown
from nacre.erofs.inode import Device
from nacre.erofs.layout import aligned, tail_size
from nacre.erofs.structures import (
    BLOCK,
    CHUNK_BITS_MASK,
    CHUNK_INDEX_SIZE,
    CHUNK_INDEXES,
    CHUNKED,
    DEVICE_SIZE,
    INLINE,
    INODE_SIZE,
    MAX_TARGET,
    NID_SIZE,
    SUPERBLOCK_OFFSET,
    SUPERBLOCK_SIZE,
    DiskInode,
    Superblock,
    crc32c,
    decode_chunk,
    decode_device,
    decode_inode,
    decode_superblock,
    encode_superblock,
    file_type,
    inodes_offset,
)
from nacre.erofs.xattrs import Xattrs, body_size, decode_xattrs
from nacre.errors import NotFound
from nacre.layers.entry import Kind

MAX_PATH = 1 << 16
_MIN_DIR_ENTRY = 13  # its name of one byte included


class Stretch(NamedTuple):
    """Bytes of a file that lie in one piece on a device; what no stretch covers is zeros."""

    offset: int
    """Where in the file they begin."""
    length: int
    device: int
    """Number of the device, counted from zero."""
    position: int
    """Where on the device they begin."""


class Found(NamedTuple):
    """One name of the tree: its path from the root, without a leading slash; and its inode."""

    path: bytes
    nid: int
    """Number of the inode: equal for hard links."""
    inode: DiskInode


class Image:
    """An image in memory or, better, in a memory map. Inodes go by their number, the nid.

    Raises:
        InvalidImage: the superblock or the device table is malformed.
    """

    def __init__(self, data: bytes | mmap) -> None:
        self._data = data
        self._end = len(data)
        with _naming("the superblock"):
            self.superblock = self._read_superblock()
            self._end = self.superblock.blocks * BLOCK
            self.devices = tuple(self._read_devices())

    @property
    def root(self) -> int:
        """The nid of the root directory."""
        return self.superblock.root_nid

    def inode(self, nid: int) -> DiskInode:
        """Return an inode.

        Raises:
            InvalidImage: it is malformed, or not in the image.
        """
        with _naming(f"inode {nid}"):
            return decode_inode(self._bytes(nid * NID_SIZE, INODE_SIZE))

    def xattrs(self, nid: int) -> Xattrs:
        """Return the extended attributes of an inode, sorted by name.

        Raises:
            InvalidImage: the inode or its attributes are malformed.
        """
        size = body_size(self.inode(nid).xattr_count)
        with _naming(f"inode {nid}"):
            return decode_xattrs(self._bytes(nid * NID_SIZE + INODE_SIZE, size)) if size else ()

    def children(self, nid: int) -> list[DirEntry]:
        """Return what a directory holds, sorted by name, without ``.`` and ``..``.

        Raises:
            InvalidImage: the inode is no directory, or malformed.
        """
        inode = self.inode(nid)
        with _naming(f"directory {nid}"):
            if inode.kind is not Kind.DIR:
                raise ValueError("it is no directory")
            return _children(nid, self._content(nid, inode))

    def target(self, nid: int) -> bytes:
        """Return the target of a symbolic link.

        Raises:
            InvalidImage: the inode is no link, or malformed.
        """
        inode = self.inode(nid)
        with _naming(f"link {nid}"):
            if inode.kind is not Kind.SYMLINK or not 0 < inode.size <= MAX_TARGET:
                raise ValueError("it is no symbolic link")
            target = self._content(nid, inode)
            if b"\0" in target:
                raise ValueError("its target is no path")
            return target

    def stretches(self, nid: int) -> list[Stretch]:
        """Return where the data of a file lies, in ascending order.

        Raises:
            InvalidImage: the inode is no file, or malformed.
        """
        inode = self.inode(nid)
        with _naming(f"file {nid}"):
            if inode.kind is not Kind.REG:
                raise ValueError("it is no file")
            return list(_joined(self._chunks(nid, inode))) if inode.size else []

    def lookup(self, path: bytes) -> int:
        """Return the nid of a path from the root, empty for the root; follows no links.

        Raises:
            NotFound: there is no such path.
            InvalidImage: a directory on the way is malformed.
        """
        nid = self.root
        for name in path.split(b"/") if path else ():
            entries = self.children(nid) if self.inode(nid).kind is Kind.DIR else []
            found = [entry for entry in entries if entry.name == name]
            if not found:
                raise NotFound(f"there is no {shown(path)} in the EROFS image")
            self._inode_of(found[0])
            nid = found[0].nid
        return nid

    def walk(self) -> Iterator[Found]:
        """Yield every name of the tree, the root first, each directory before what it holds.

        Raises:
            InvalidImage: the tree is malformed.
        """
        # Each name takes room of its own in a sound image, so more of them lead in circles.
        left = self._end // _MIN_DIR_ENTRY
        directories: set[int] = set()
        pending = [Found(b"", self.root, self.inode(self.root))]
        while pending:
            found = pending.pop()
            yield found
            if found.inode.kind is not Kind.DIR:
                continue
            entries = self.children(found.nid)
            left -= len(entries)
            with _naming(f"directory {found.nid}"):
                if found.nid in directories or left < 0:
                    raise ValueError("it has several names")
                if len(found.path) > MAX_PATH:
                    raise ValueError(f"its path has more than {MAX_PATH} bytes")
            directories.add(found.nid)
            start = found.path + b"/" if found.path else b""
            pending += [
                Found(start + entry.name, entry.nid, self._inode_of(entry))
                for entry in reversed(entries)
            ]

    def _read_superblock(self) -> Superblock:
        data = self._bytes(SUPERBLOCK_OFFSET, BLOCK)
        superblock = decode_superblock(data[:SUPERBLOCK_SIZE])
        blank = encode_superblock(superblock._replace(checksum=0))
        if crc32c(blank + data[SUPERBLOCK_SIZE:]) != superblock.checksum:
            raise ValueError("its checksum is wrong")
        if superblock.blocks * BLOCK > self._end:
            raise ValueError("it is cut short")
        return superblock

    def _read_devices(self) -> Iterator[Device]:
        end = inodes_offset(self.superblock.devices)
        for offset in range(inodes_offset(0), end, DEVICE_SIZE):
            yield decode_device(self._bytes(offset, DEVICE_SIZE))

    def _inode_of(self, entry: DirEntry) -> DiskInode:
        inode = self.inode(entry.nid)
        if file_type(inode.mode) != entry.file_type:
            raise InvalidImage(f"the EROFS image does not know what {shown(entry.name)} is")
        return inode

    def _content(self, nid: int, inode: DiskInode) -> bytes:
        size = inode.size
        if not 0 < size <= self._end or inode.form == CHUNKED:
            raise ValueError("its data is not in the image")
        if inode.form != INLINE:
            return self._bytes(inode.address * BLOCK, size)
        tail = tail_size(size)
        place = nid * NID_SIZE + INODE_SIZE + body_size(inode.xattr_count)
        if place % BLOCK + tail > BLOCK:
            raise ValueError("its data crosses the end of a block")
        elsewhere = self._bytes(inode.address * BLOCK, size - tail) if size > tail else b""
        return elsewhere + self._bytes(place, tail)

    def _chunks(self, nid: int, inode: DiskInode) -> Iterator[Stretch]:
        size, chunk_form = inode.size, inode.address
        if inode.form != CHUNKED or chunk_form & ~CHUNK_BITS_MASK != CHUNK_INDEXES:
            raise ValueError("its data does not lie in chunks")
        chunk = BLOCK << (chunk_form & CHUNK_BITS_MASK)
        count = -(-size // chunk)
        place = nid * NID_SIZE + INODE_SIZE + body_size(inode.xattr_count)
        indexes = self._bytes(aligned(place, CHUNK_INDEX_SIZE), count * CHUNK_INDEX_SIZE)
        for number in range(count):
            start = number * CHUNK_INDEX_SIZE
            index = decode_chunk(indexes[start : start + CHUNK_INDEX_SIZE])
            if index is None:
                continue
            device, position = index[0] - 1, index[1] * BLOCK
            length = min(chunk, size - number * chunk)
            if device >= len(self.devices) or position + length > self.devices[device].size:
                raise ValueError("its data goes beyond the end of its device")
            yield Stretch(number * chunk, length, device, position)

    def _bytes(self, offset: int, size: int) -> bytes:
        if offset + size > self._end:
            raise ValueError("it goes beyond the end of the image")
        return self._data[offset : offset + size]


def _children(nid: int, content: bytes) -> list[DirEntry]:
    entries: list[DirEntry] = []
    for offset in range(0, len(content), BLOCK):
        entries += decode_block(content[offset : offset + BLOCK])
    if any(one.name >= two.name for one, two in pairwise(entries)):
        raise ValueError("its names are not sorted")
    dots = [entry for entry in entries if entry.name in (b".", b"..")]
    if len(dots) != 2 or dots[0].nid != nid:
        raise ValueError("it lacks '.' or '..'")
    return [entry for entry in entries if entry not in dots]


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    before: Stretch | None = None
    for stretch in stretches:
        if before is None:
            before = stretch
        elif _continues(before, stretch):
            before = before._replace(length=before.length + stretch.length)
        else:
            yield before
            before = stretch
    if before is not None:
        yield before


def _continues(before: Stretch, stretch: Stretch) -> bool:
    return (
        stretch.device == before.device
        and stretch.offset == before.offset + before.length
        and stretch.position == before.position + before.length
    )


@contextmanager
def _naming(what: str) -> Iterator[None]:
    try:
        yield
    except ValueError as problem:
        raise InvalidImage(f"{what} of an EROFS image is malformed: {problem}") from problem
