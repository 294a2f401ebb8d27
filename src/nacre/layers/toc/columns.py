"""Columns as bytes: little-endian numbers one after the other, and texts with NULs between them.

Functions that read raise ValueError with one clause; the caller adds what it was reading.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise

from nacre.layers.entry import Extent
from nacre.layers.toc.table import Xattrs

_LENGTH = struct.Struct("<Q")
_PAIR = struct.Struct("<II")
_SWAP = sys.byteorder != "little"


def join_sections(sections: Iterable[bytes]) -> bytes:
    """Return the sections one after the other, each after its length."""
    return b"".join(part for body in sections for part in (_LENGTH.pack(len(body)), body))


def split_sections(body: memoryview) -> Iterator[bytes]:
    """Return the sections; inverse of ``join_sections``."""
    position = 0
    while position < len(body):
        if position + _LENGTH.size > len(body):
            raise ValueError("it ends inside a length")
        start = position + _LENGTH.size
        position = start + _LENGTH.unpack_from(body, position)[0]
        if position > len(body):
            raise ValueError("it ends inside a section")
        yield bytes(body[start:position])


def pack(typecode: str, numbers: Iterable[int]) -> bytes:
    """Return numbers as bytes; ``typecode`` is one of ``array``."""
    column = array(typecode, numbers)
    if _SWAP:
        column.byteswap()
    return column.tobytes()


def unpack(typecode: str, data: bytes, count: int) -> array[int]:
    """Return ``count`` numbers; inverse of ``pack``."""
    column: array[int] = array(typecode)
    if len(data) != count * column.itemsize:
        raise ValueError("a column has the wrong length")
    column.frombytes(data)
    if _SWAP:
        column.byteswap()
    return column


def unpack_rows(data: bytes, rows: int) -> array[int]:
    """Return the numbers of some of the rows: ascending, each once."""
    chosen = unpack("I", data, len(data) // 4)
    if any(before >= after for before, after in pairwise(chosen)) or (
        chosen and chosen[-1] >= rows
    ):
        raise ValueError("a column does not fit the rows")
    return chosen


def split_texts(data: bytes, count: int) -> list[bytes]:
    """Return ``count`` texts that were joined with NULs."""
    texts = data.split(b"\0") if count else []
    if len(texts) != count or (data and not count):
        raise ValueError("a column of texts has the wrong length")
    return texts


def checked_bytes(data: bytes, count: int, allowed: bytes) -> bytes:
    """Return the data if it is ``count`` of the allowed bytes."""
    if len(data) != count or data.translate(None, allowed):
        raise ValueError("a column of codes is wrong")
    return data


def pack_xattrs(sets: Sequence[Xattrs]) -> bytes:
    """Return sets of extended attributes: of each the count, then lengths, name and value."""
    parts: list[bytes] = []
    for pairs in sets:
        parts.append(_LENGTH.pack(len(pairs)))
        for name, value in pairs:
            parts += _PAIR.pack(len(name), len(value)), name, value
    return b"".join(parts)


def unpack_xattrs(data: bytes) -> list[Xattrs]:
    """Return sets of extended attributes; inverse of ``pack_xattrs``."""
    sets: list[Xattrs] = []
    position = 0
    while position < len(data):
        pairs: list[tuple[bytes, bytes]] = []
        (count,) = _LENGTH.unpack_from(data, position)
        position += _LENGTH.size
        while len(pairs) < count:
            name, value = _PAIR.unpack_from(data, position)
            start = position + _PAIR.size
            position = start + name + value
            pairs.append((data[start : start + name], data[start + name : position]))
        sets.append(tuple(pairs))
    if position != len(data):
        raise ValueError("an extended attribute is cut off")
    return sets


def pack_extents(maps: Sequence[tuple[Extent, ...]]) -> bytes:
    """Return the maps of sparse files as the offsets and lengths of all their extents."""
    return pack("q", (number for extents in maps for extent in extents for number in extent))


def unpack_extents(counts: array[int], data: bytes) -> list[tuple[Extent, ...]]:
    """Return maps with these numbers of extents; inverse of ``pack_extents``."""
    numbers = unpack("q", data, 2 * sum(counts))
    extents = list(map(Extent, numbers[::2], numbers[1::2]))
    return [tuple(extents[start:end]) for start, end in pairwise(accumulate(counts, initial=0))]
