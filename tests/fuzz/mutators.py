"""How inputs are changed: as the fuzzer likes, then with the checksums that belong to them.

Without this nearly every change would stop at a checksum, and nothing behind it be reached.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from zlib import crc32

from nacre.erofs.structures import crc32c
from nacre.layers.tar.header import BLOCK, ZERO_BLOCK, decode_number
from nacre.layers.tar.pax import format_records, parse_records
from nacre.layers.toc.codec import VERSION
from nacre.layers.toc.columns import join_sections, split_sections

Mutate = Callable[[bytes, int], bytes]
"""The fuzzer's own: takes bytes and how many there may be."""
Mutator = Callable[[bytes, int, int, Mutate], bytes]
"""Takes bytes, how many there may be, a seed for what is random, and the fuzzer's own way."""

_TYPEFLAGS = b"0123456\x007xgLKS"
_FIELDS = {0: 100, 100: 8, 108: 8, 124: 12, 136: 12, 157: 100, 329: 8, 345: 155, 386: 96, 482: 13}
_LONG_NUMBERS = (124, 136, *range(386, 482, 12), 483)
_NUDGES = (1, -1, 8, -8, 511, 512, -512, 1024, 1 << 30)
_NUMBERS = (b"0", b"7" * 11, b"\x80", b"\xff" * 12, b"1 ", b"-1", b"00000001000\0", b"")
_KEYS = (
    *(b"path", b"linkpath", b"size", b"mtime", b"uid", b"gid", b"GNU.sparse.name"),
    *(b"GNU.sparse.map", b"GNU.sparse.size", b"GNU.sparse.realsize", b"GNU.sparse.major"),
    *(b"GNU.sparse.minor", b"GNU.sparse.offset", b"GNU.sparse.numbytes"),
    *(b"SCHILY.xattr.user.a", b"SCHILY.xattr.", b"LIBARCHIVE.xattr.user.%3D%00"),
)
_NAMES = (b".wh.", b".wh..wh..opq", b"../", b"/", b"./", b"bin/su", b"etc", b"a/" * 20, b"\xff")


def mutate_freely(data: bytes, limit: int, _seed: int, mutate: Mutate) -> bytes:
    """Change anything: the format has no checksum that stands in the way."""
    return mutate(data, limit)


def mutate_tar(data: bytes, limit: int, seed: int, mutate: Mutate) -> bytes:
    """Change anything, a record, a field or the order of blocks; then sum headers up."""
    chance = random.Random(seed)
    way = chance.randrange(5) if len(data) >= BLOCK else 4
    if way == 0:
        changed = _shuffled(data, chance)
    elif way == 1:
        changed = _field_changed(data, chance)
    elif way == 2:
        changed = _record_changed(data, chance, mutate)
    else:
        changed = mutate(data, limit)
    return (changed if chance.randrange(16) == 0 else _resummed(changed))[:limit]


def mutate_toc(data: bytes, limit: int, seed: int, mutate: Mutate) -> bytes:
    """Change anything behind the header of a table, or one of its sections or numbers."""
    chance = random.Random(seed)
    body = data[16:]
    sections = _sections(body)
    if sections and chance.randrange(4):
        place = chance.randrange(len(sections))
        section = sections[place]
        if len(section) >= 4 and chance.randrange(2):
            at = chance.randrange(len(section) // 4) * 4
            (number,) = struct.unpack_from("<I", section, at)
            word = struct.pack("<I", (number + chance.choice(_NUDGES)) % (1 << 32))
            sections[place] = section[:at] + word + section[at + 4 :]
        else:
            sections[place] = mutate(section or b"\0", len(section) + 8)
        body = body[:16] + join_sections(sections)
    else:
        body = mutate(body, max(limit - 16, 1))
    body = body[: max(limit - 16, 0)]
    return struct.pack("<8sII", b"NACRETOC", VERSION, crc32(body)) + body


def _sections(body: bytes) -> list[bytes]:
    try:
        return list(split_sections(memoryview(body[16:])))
    except ValueError:
        return []


def mutate_erofs(data: bytes, limit: int, seed: int, mutate: Mutate) -> bytes:
    """Change anything, and seal the superblock."""
    changed = mutate(data, limit)
    if len(changed) < 1536:
        return changed
    blank = changed[:1028] + bytes(4) + changed[1032:]
    return changed[:1028] + struct.pack("<I", crc32c(blank[1024:1536])) + changed[1032:]


MUTATORS: Mapping[str, Mutator] = {
    "tar": mutate_tar,
    "toc": mutate_toc,
    "union": mutate_tar,
    "erofs": mutate_erofs,
    "compression": mutate_freely,
}
"""One for each target."""


def _shuffled(data: bytes, chance: random.Random) -> bytes:
    blocks = [data[start : start + BLOCK] for start in range(0, len(data), BLOCK)]
    place, other = chance.randrange(len(blocks)), chance.randrange(len(blocks))
    match chance.randrange(3):
        case 0:
            blocks.insert(other, blocks[place])
        case 1:
            del blocks[place]
        case _:
            blocks[place], blocks[other] = blocks[other], blocks[place]
    return b"".join(blocks)


def _field_changed(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) // BLOCK) * BLOCK
    way = chance.randrange(4)
    if way == 0:
        place, value = start + 156, bytes([chance.choice(_TYPEFLAGS)])
    elif way == 1:
        place = start + chance.choice(_LONG_NUMBERS)
        value = _nudged(data[place : place + 11], chance)
    else:
        field = chance.choice(tuple(_FIELDS))
        place = start + field
        value = chance.choice(_NAMES if field in (0, 157, 345) else _NUMBERS)[: _FIELDS[field]]
    return data[:place] + value + data[place + len(value) :]


def _nudged(field: bytes, chance: random.Random) -> bytes:
    # Another number near the one in a field.
    with suppress(ValueError):
        return b"%011o" % abs(int(field, 8) + chance.choice(_NUDGES))
    return field


def _record_changed(data: bytes, chance: random.Random, mutate: Mutate) -> bytes:
    # Lengths of records and headers stay right, which no other change would keep.
    extended = [start for start in _headers(data) if data[start + 156 : start + 157] == b"x"]
    if not extended:
        return mutate(data, len(data))
    start = chance.choice(extended)
    body = data[start + BLOCK : start + BLOCK + _padded_size(data[start : start + BLOCK])]
    with suppress(ValueError):
        records = parse_records(body.rstrip(b"\0"))
        place = chance.randrange(len(records) + 1)
        key, value = records[place] if place < len(records) else (b"", b"")
        if place == len(records) or chance.randrange(3) == 0:
            key = chance.choice(_KEYS)
        way = chance.randrange(3)
        if way == 0:
            numbers = value.split(b",")
            at = chance.randrange(len(numbers))
            numbers[at] = b"%d" % (int(numbers[at]) + chance.choice(_NUDGES))
            value = b",".join(numbers)
        elif way == 1:
            value = mutate(value or b"0", 64)
        records[place : place + 1] = [(key, value)]
        changed = format_records(records)
        size = b"%011o\0" % len(changed)
        header = data[start : start + 124] + size + data[start + 136 : start + BLOCK]
        rest = data[start + BLOCK + len(body) :]
        return data[:start] + header + changed + bytes(-len(changed) % BLOCK) + rest
    return data


def _headers(data: bytes) -> Iterator[int]:
    # Found as a reader finds them, each by the size of the one before.
    position = 0
    while position + BLOCK <= len(data):
        yield position
        position += BLOCK + _padded_size(data[position : position + BLOCK])


def _resummed(data: bytes) -> bytes:
    copy = bytearray(data)
    for position in _headers(data):
        block = data[position : position + BLOCK]
        if block != ZERO_BLOCK:
            total = sum(block) - sum(block[148:156]) + 8 * 0x20
            copy[position + 148 : position + 156] = b"%06o\0 " % total
    return bytes(copy)


def _padded_size(block: bytes) -> int:
    try:
        size = max(decode_number(block[124:136]), 0)
    except ValueError:
        return 0
    return size + -size % BLOCK if block[156:157] in b"\x0007xgLKS" else 0
