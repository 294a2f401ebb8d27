"""Asking an image everything that can be asked, and forging images."""

from __future__ import annotations

import struct
from contextlib import suppress

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


def probe(data: bytes) -> None:
    """Read whatever an image holds, and at places where it may hold nothing."""
    try:
        image = Image(data)
    except InvalidImage:
        return
    for nid in range(36, len(data) // 32, 7):
        _probe_inode(image, nid)
    try:
        for number, found in enumerate(image.walk()):
            _probe_inode(image, found.nid)
            if number % 10 == 0:
                image.lookup(found.path)
    except InvalidImage:
        return


def _probe_inode(image: Image, nid: int) -> None:
    with suppress(InvalidImage):
        kind = image.inode(nid).kind
        image.xattrs(nid)
        if kind is Kind.DIR:
            image.children(nid)
        elif kind is Kind.SYMLINK:
            image.target(nid)
        elif kind is Kind.REG:
            image.stretches(nid)
