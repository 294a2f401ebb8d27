"""Tar headers made by hand, sound and unsound ones."""

from __future__ import annotations

from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import header_blocks, scan
from nacre.layers.tar.header import encode_header
from nacre.layers.tar.pax import format_records

FILE = Entry(b"file", Kind.REG, size=3)
FILE_BLOCKS = header_blocks(FILE) + b"abc".ljust(512, b"\0")


def special(typeflag: bytes, body: bytes, name: bytes = b"special") -> bytes:
    header = encode_header(name=name, size=len(body), typeflag=typeflag)
    return header + body + bytes(-len(body) % 512)


def extended(*records: tuple[bytes, bytes]) -> bytes:
    return special(b"x", format_records(records))


def with_records(*records: tuple[bytes, bytes]) -> Entry:
    (entry,) = scan(extended(*records) + FILE_BLOCKS)
    return entry


def resummed(block: bytes) -> bytes:
    checksum = sum(block[:148]) + 8 * 32 + sum(block[156:512])
    return block[:148] + b"%06o\0 " % checksum + block[156:]


def patched(blocks: bytes, offset: int, value: bytes) -> bytes:
    return resummed(blocks[:offset] + value + blocks[offset + len(value) :])


Seen = tuple[bytes, bytes, int, int, int, int, int, bytes, int]
