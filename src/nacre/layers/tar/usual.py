"""The usual tar header, read quickly: what nearly every member of every layer has.

A pull reads a header for each file of an image, so this is its hot path. It knows the plain case
only: a file, directory or link, its name in one field, all numbers in octal, all text ASCII.
Whatever differs in the least, or is wrong, is left to the slow way, which says what it comes to; of
what is read here both make the same.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from zlib import adler32

from nacre.layers.entry import Entry, Kind
from nacre.layers.tar.header import decode_number

# Name; mode and owners; size, what ends it; mtime; checksum; type; link; first byte of prefix.
_HEADER = Struct("100s 24s 11s c 12s 8s c 100s 88x c 166x")
_KINDS = {kind.value: kind for kind in (Kind.REG, Kind.DIR, Kind.LINK, Kind.SYMLINK)}
_REG, _DIR = Kind.REG, Kind.DIR
_ENDS = frozenset((b"\0", b" "))
_MAX_ID = (1 << 32) - 2

_new_entry = tuple.__new__


def usual_entry(block: bytes, position: int) -> Entry | None:
    """Return the entry of a header of 512 bytes that begins at ``position``; None if unusual."""
    name, owners, digits, end, mtime, checksum, typeflag, linkname, prefix = _HEADER.unpack(block)
    kind = _KINDS.get(typeflag)
    if (
        kind is None
        or prefix != b"\0"
        or not block.isascii()
        # Adler-32's low half is 1 + the sum of the bytes: 512 ASCII bytes cannot wrap it.
        or adler32(block) & 0xFFFF != _expected_sum(checksum)
        or end not in _ENDS
        or not digits.isdigit()
    ):
        return None
    try:
        size = int(digits, 8)
        mode, uid, gid = _owners(owners)
        seconds = _number(mtime)
    except ValueError:
        return None
    if kind is _REG:
        target = b""
    else:
        size = 0
        target = b"" if kind is _DIR else linkname.partition(b"\0")[0]
    path = name.partition(b"\0")[0]
    begin = position + 512
    # fmt: off
    return _new_entry(Entry, (
        path, kind, mode, uid, gid, size, seconds, 0, target, 0, 0, (), None, position, begin, size
    ))
    # fmt: on


# Few different values of these fields fill a whole archive.


@lru_cache(maxsize=8192)
def _expected_sum(field: bytes) -> int:
    """Return what the sum of all bytes plus one has to be, for this field of the checksum."""
    try:
        return decode_number(field) + sum(field) - 8 * 0x20 + 1
    except ValueError:
        return -1


@lru_cache(maxsize=4096)
def _owners(fields: bytes) -> tuple[int, int, int]:
    """Return permissions, owner and group.

    Raises:
        ValueError: one is no number, or out of range.
    """
    mode, uid, gid = (decode_number(fields[start : start + 8]) for start in (0, 8, 16))
    if not (0 <= uid <= _MAX_ID and 0 <= gid <= _MAX_ID and mode >= 0):
        raise ValueError("out of range")
    return mode & 0o7777, uid, gid


_number = lru_cache(maxsize=4096)(decode_number)
