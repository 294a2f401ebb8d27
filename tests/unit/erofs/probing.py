"""Asking an image everything that can be asked, and forging images."""

from __future__ import annotations

import struct

from nacre.erofs.errors import InvalidImage
from nacre.erofs.reader import Image
from nacre.erofs.structures import crc32c
from nacre.layers.entry import Kind


def resealed(data: bytes) -> bytes:
    """Return an image with the checksum that belongs to it."""
    blank = data[:1028] + bytes(4) + data[1032:]
    return data[:1028] + struct.pack("<I", crc32c(blank[1024:1536])) + data[1032:]


def patched(data: bytes, offset: int, form: str, *values: int | bytes) -> bytes:
    """Return an image with other values at an offset, and the checksum that belongs to it."""
    copy = bytearray(data)
    struct.pack_into(f"<{form}", copy, offset, *values)
    return resealed(bytes(copy))


def probe(data: bytes) -> bool:
    """Read whatever an image holds; return whether all of it was sound."""
    try:
        image = Image(data)
    except InvalidImage:
        return False
    sound = [_probe_inode(image, nid) for nid in range(36, len(data) // 32, 7)]
    try:
        for found in image.walk():
            sound.append(_probe_inode(image, found.nid))
            if len(sound) % 10 == 0:
                assert image.inode(image.lookup(found.path)).kind is found.inode.kind
    except InvalidImage:
        return False
    return all(sound)


def _probe_inode(image: Image, nid: int) -> bool:
    try:
        kind = image.inode(nid).kind
        image.xattrs(nid)
        if kind is Kind.DIR:
            image.children(nid)
        elif kind is Kind.SYMLINK:
            image.target(nid)
        elif kind is Kind.REG:
            image.stretches(nid)
    except InvalidImage:
        return False
    return True
