"""The structures of EROFS as they lie on disk: tables of fields, all little endian.

Only what nacre uses: blocks of 512 bytes, so that the data of a tar member begins a block;
extended inodes; file data in chunks on extra devices. Names are those of the kernel's
``fs/erofs/erofs_fs.h``. Functions that decode raise ValueError with one clause; the reader makes
an ``InvalidImage`` of it.
"""

from __future__ import annotations

import stat
from struct import Struct
from typing import NamedTuple

from nacre.erofs.inode import Device
from nacre.layers.entry import Kind

REG, DIR, SYMLINK = Kind.REG, Kind.DIR, Kind.SYMLINK
"""To be compared with where it must be fast: an attribute of an enumeration is slow."""

BLOCK_BITS = 9
BLOCK = 1 << BLOCK_BITS
"""Bytes of a block. Linux takes blocks of this size since 6.4."""
SUPERBLOCK_OFFSET = 1024
CHECKSUMMED = slice(SUPERBLOCK_OFFSET, SUPERBLOCK_OFFSET + BLOCK)
"""The bytes that the checksum covers: with small blocks, the one that holds the superblock."""
NID_SIZE = 32
"""Inodes lie at multiples of this; their number (nid) is their offset divided by it."""
INODE_SIZE = 64
MAX_DEVICES = 16_000
"""With more of them, the nid of the root would not fit its 16 bits."""
MAX_TAG, MAX_VOLUME_NAME = 64, 16
MAX_TARGET = 4095

PLAIN, INLINE, CHUNKED = 1, 5, 9
"""Formats of extended inodes: their data lies in blocks; in blocks but for the last part, right
behind the inode; or in chunks."""
NO_BLOCK = 0xFFFFFFFF
"""The address of nothing: of a hole, and of the data of an empty file."""
MAX_DEVICE_BLOCKS = NO_BLOCK

CHUNK_BITS_MASK, CHUNK_INDEXES = 0x1F, 0x20
CHUNK_INDEX_SIZE = 8
MAX_CHUNK_BITS = BLOCK_BITS + CHUNK_BITS_MASK
"""Binary logarithm of the largest chunk: a terabyte."""

MAGIC = 0xE0F5E1E2
_HAS_CHECKSUM, _HAS_MTIME = 0x1, 0x2
_CHUNKED_FILES, _DEVICE_TABLE = 0x4, 0x8
_DEVICE_TABLE_SLOT = 9  # right behind the superblock, in units of 128 bytes

_SUPERBLOCK = Struct("<IIIBBHQQIIII16s16sIHHHBBIQBB2xIQ8x")
_DEVICE = Struct("<64sIIHH52x")
_INODE = Struct("<HHHxxQIIIIqII16x")
_CHUNK_INDEX = Struct("<HHI")
SUPERBLOCK_SIZE = _SUPERBLOCK.size
DEVICE_SIZE = _DEVICE.size

_FORMATS = {
    Kind.REG: stat.S_IFREG,
    Kind.DIR: stat.S_IFDIR,
    Kind.SYMLINK: stat.S_IFLNK,
    Kind.CHR: stat.S_IFCHR,
    Kind.BLK: stat.S_IFBLK,
    Kind.FIFO: stat.S_IFIFO,
}
_KINDS = {bits: kind for kind, bits in _FORMATS.items()}
_FILE_TYPES = {
    stat.S_IFREG: 1,
    stat.S_IFDIR: 2,
    stat.S_IFCHR: 3,
    stat.S_IFBLK: 4,
    stat.S_IFIFO: 5,
    stat.S_IFLNK: 7,
}


REGULAR = stat.S_IFREG
"""The mode of a file, to be joined with its permissions."""


def inodes_offset(devices: int) -> int:
    """Return where inodes may begin, in bytes: behind the table of so many devices."""
    return (_DEVICE_TABLE_SLOT + devices) * DEVICE_SIZE


class Superblock(NamedTuple):
    """What an image says of itself."""

    root_nid: int
    inodes: int
    """How many there are."""
    blocks: int
    """Length in blocks of the image itself, its devices left out."""
    devices: int
    """How many devices there are beside it."""
    uuid: bytes
    volume_name: bytes = b""
    """At most 16 bytes."""
    checksum: int = 0


def encode_superblock(superblock: Superblock) -> bytes:
    """Return its 128 bytes; every field must fit."""
    return _SUPERBLOCK.pack(
        *(MAGIC, superblock.checksum, _HAS_CHECKSUM | _HAS_MTIME, BLOCK_BITS, 0),
        *(superblock.root_nid, superblock.inodes, 0, 0, superblock.blocks, 0, 0),
        *(superblock.uuid, superblock.volume_name, _features(superblock.devices), 0),
        *(superblock.devices, _DEVICE_TABLE_SLOT if superblock.devices else 0),
        *(0, 0, 0, 0, 0, 0, 0, 0),
    )


def decode_superblock(data: bytes) -> Superblock:
    """Take the 128 bytes apart; the checksum is not verified.

    Raises:
        ValueError: they are no superblock, or one of a kind that nacre does not write.
    """
    fields = _SUPERBLOCK.unpack(data)
    if fields[0] != MAGIC:
        raise ValueError("it has no EROFS superblock")
    uuid, volume_name = fields[12:14]
    found = Superblock(
        root_nid=fields[5],
        inodes=fields[6],
        blocks=fields[9],
        devices=fields[16],
        uuid=uuid,
        volume_name=volume_name.rstrip(b"\0"),
        checksum=fields[1],
    )
    if encode_superblock(found) != data:
        raise ValueError("its superblock asks for features that are not supported")
    return found


def _features(devices: int) -> int:
    return _CHUNKED_FILES | (_DEVICE_TABLE if devices else 0)


def encode_device(device: Device, address: int) -> bytes:
    """Return a slot of the device table.

    ``address`` is the block at which the device would begin, were it appended to the image.
    """
    return _DEVICE.pack(device.tag, -(-device.size // BLOCK), address, 0, 0)


def decode_device(data: bytes) -> Device:
    """Take a slot of the device table apart; sizes are only known in blocks.

    Raises:
        ValueError: the slot is of a kind that nacre does not write.
    """
    tag, blocks, address, blocks_high, address_high = _DEVICE.unpack(data)
    if _DEVICE.pack(tag, blocks, address, 0, 0) != data or blocks_high or address_high:
        raise ValueError("its device table has fields that are not supported")
    return Device(tag.rstrip(b"\0"), blocks * BLOCK)


class DiskInode(NamedTuple):
    """An extended inode."""

    form: int
    """``PLAIN``, ``INLINE`` or ``CHUNKED``."""
    xattr_count: int
    """Zero, or one plus the words of 4 bytes behind the header of the attributes."""
    mode: int
    """Kind of file and permission bits, as stat(2) has them."""
    size: int
    address: int
    """First block of the data, format of the chunks, or device number."""
    number: int
    """A number for people: the kernel takes the nid."""
    uid: int
    gid: int
    mtime: int
    mtime_nsec: int
    nlink: int

    @property
    def kind(self) -> Kind:
        """What it is."""
        return _KINDS[stat.S_IFMT(self.mode)]

    @property
    def devmajor(self) -> int:
        """The major number of a device."""
        return self.address >> 8 & 0xFFF

    @property
    def devminor(self) -> int:
        """The minor number of a device."""
        return self.address & 0xFF | self.address >> 12 & 0xFFF00


pack_inode = _INODE.pack
"""Return the 64 bytes of an inode, given the fields of ``DiskInode`` one by one.

A number that does not fit its field raises ``struct.error``.
"""


_LINKS = Struct("<I")
_LINKS_OFFSET = _INODE.size - 16 - _LINKS.size


def with_links(data: bytes, links: int) -> bytes:
    """Return an inode, and whatever follows it, with another number of links."""
    return data[:_LINKS_OFFSET] + _LINKS.pack(links) + data[_LINKS_OFFSET + _LINKS.size :]


_WHOLE_FILE = Struct(f"{_INODE.format}{_CHUNK_INDEX.format[1:]}24x")
WHOLE_FILE_SIZE = _WHOLE_FILE.size
pack_whole_file = _WHOLE_FILE.pack
"""Return an inode and, right behind it, the index of the one chunk that its data is, filled up to
where the next inode may begin.

Takes the fields of ``DiskInode``, then zero, the device (counted from one) and the block on it.
"""


def decode_inode(data: bytes) -> DiskInode:
    """Take 64 bytes apart.

    Raises:
        ValueError: they are no inode, or one of a kind that nacre does not write.
    """
    inode = DiskInode(*_INODE.unpack(data))
    if inode.form not in (PLAIN, INLINE, CHUNKED):
        raise ValueError("the inode has a format that is not supported")
    if stat.S_IFMT(inode.mode) not in _KINDS or inode.size >= 1 << 63:
        raise ValueError("the inode is of no known kind")
    if pack_inode(*inode) != data or inode.mtime_nsec >= 1_000_000_000:
        raise ValueError("the inode has fields that are not supported")
    return inode


def file_mode(kind: Kind, permissions: int) -> int:
    """Return a mode as stat(2) has it.

    Raises:
        ValueError: the permissions have other bits than the twelve, or it is a hard link.
    """
    if permissions >> 12:
        raise ValueError("its mode has more than twelve bits")
    if kind is DIR:  # looking kinds up is slow, and these are many
        return stat.S_IFDIR | permissions
    bits = _FORMATS.get(kind)
    if bits is None:
        raise ValueError("it is no file of its own")
    return bits | permissions


def file_type(mode: int) -> int:
    """Return what a directory entry says of an inode with this mode."""
    return _FILE_TYPES[mode & 0o170000]


def encode_device_number(major: int, minor: int) -> int:
    """Return a device number as inodes keep it: twelve bits of major, twenty of minor.

    Raises:
        ValueError: the numbers need more bits.
    """
    if not (0 <= major < 1 << 12 and 0 <= minor < 1 << 20):
        raise ValueError(f"its device number {major}:{minor} is too large")
    return minor & 0xFF | major << 8 | (minor & 0xFFF00) << 12


def encode_chunk(device: int, block: int) -> bytes:
    """Return a chunk index: device number (counted from one) and block on that device."""
    return _CHUNK_INDEX.pack(0, device, block)


HOLE = _CHUNK_INDEX.pack(0xFFFF, 0, NO_BLOCK)
"""The index of a chunk that reads as zeros."""


def decode_chunk(data: bytes) -> tuple[int, int] | None:
    """Return device number (counted from one) and block of a chunk, None for a hole.

    Raises:
        ValueError: the index is of a kind that nacre does not write.
    """
    if data == HOLE:
        return None
    high, device, block = _CHUNK_INDEX.unpack(data)
    if high or not device or block == NO_BLOCK:
        raise ValueError("a chunk index has a value that is not supported")
    return device, block


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of data as EROFS has it: all ones first, no final flip."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc
