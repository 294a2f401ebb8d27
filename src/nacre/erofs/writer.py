"""Writing an EROFS image that holds names and attributes only: file data stays on its devices.

The same tree and devices always give the same bytes. The superblock is written last, so what was
cut short is no image.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import BinaryIO

from nacre.erofs.assembly import assemble
from nacre.erofs.errors import InvalidTree, shown
from nacre.erofs.inode import Device
from nacre.erofs.source import N, Source
from nacre.erofs.structures import (
    BLOCK,
    CHECKSUMMED,
    MAX_DEVICE_BLOCKS,
    MAX_DEVICES,
    MAX_TAG,
    MAX_VOLUME_NAME,
    NO_BLOCK,
    SUPERBLOCK_OFFSET,
    Superblock,
    crc32c,
    encode_device,
    encode_superblock,
)

_PIECES = 1024


def write_image(
    out: BinaryIO, tree: Source[N], devices: Sequence[Device], *, volume_name: bytes = b""
) -> int:
    """Write the image of a tree; return its length in bytes, a multiple of 512.

    Args:
        out: an empty file that can seek.
        tree: what to write.
        devices: where file data lies; to be given to the kernel in this order.
        volume_name: a name for people, at most 16 bytes.

    Raises:
        InvalidTree: the tree or the devices are more than the format can say. What was written
            up to there is no image.
    """
    _check(devices, volume_name)
    assembled = assemble(tree, devices)
    superblock = Superblock(
        root_nid=assembled.root,
        inodes=assembled.inodes,
        blocks=assembled.size // BLOCK,
        devices=len(devices),
        uuid=bytes(16),
        volume_name=volume_name,
    )
    header = _header(superblock, devices)
    digest = hashlib.sha256(header)
    out.write(bytes(len(header)))
    pieces = assembled.pieces
    for start in range(0, len(pieces), _PIECES):
        data = b"".join(pieces[start : start + _PIECES])
        digest.update(data)
        out.write(data)
    beginning = b"".join(pieces[:_PIECES])
    superblock = superblock._replace(uuid=_uuid(digest.digest()))
    checksummed = (_header(superblock, devices) + beginning)[CHECKSUMMED]
    out.seek(0)
    out.write(_header(superblock._replace(checksum=crc32c(checksummed)), devices))
    out.seek(0, os.SEEK_END)
    return assembled.size


def _check(devices: Sequence[Device], volume_name: bytes) -> None:
    if len(devices) > MAX_DEVICES:
        raise InvalidTree(f"an image cannot have {len(devices)} devices", path=b"")
    for device in devices:
        if len(device.tag) > MAX_TAG or device.size > MAX_DEVICE_BLOCKS * BLOCK:
            raise InvalidTree(f"the device {shown(device.tag)} is too large", path=b"")
    if len(volume_name) > MAX_VOLUME_NAME:
        raise InvalidTree(f"the volume name {shown(volume_name)} is too long", path=b"")


def _header(superblock: Superblock, devices: Sequence[Device]) -> bytes:
    slots = []
    address = superblock.blocks
    for device in devices:
        # Nothing relies on the address, but a read of a missing device must lead nowhere.
        slots.append(encode_device(device, min(address, NO_BLOCK)))
        address += -(-device.size // BLOCK)
    return bytes(SUPERBLOCK_OFFSET) + encode_superblock(superblock) + b"".join(slots)


def _uuid(digest: bytes) -> bytes:
    # RFC 9562, version 8: bits of one's own choice.
    uuid = bytearray(digest[:16])
    uuid[6] = uuid[6] & 0x0F | 0x80
    uuid[8] = uuid[8] & 0x3F | 0x80
    return bytes(uuid)
