"""The 512-byte tar header: one block of fixed fields (POSIX.1-1988 ustar, V7, GNU, star).

Functions here raise ValueError with one clause; the reader adds where in the archive it was.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple
from zlib import adler32

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)
MAX_OCTAL_8 = 0o7777777
MAX_OCTAL_12 = 0o77777777777

Request = tuple[int, int]
"""Offset and length of the bytes that a parser wants next; all bytes before them are done with."""

_USTAR = b"ustar\0"
_GNU = b"ustar  \0"
_READ = struct.Struct("100s 8s 8s 8s 12s 12s 8s c 100s 8s 247x")
_WRITE = struct.Struct("100s 8s 8s 8s 12s 12s 8s c 100s 8s 64x 8s 8s 155s 12x")
_OCTAL = b"01234567"
_INT64 = 1 << 63


class Header(NamedTuple):
    """The fields of one block; ``block`` keeps the rest for the formats that need it."""

    name: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    typeflag: bytes
    linkname: bytes
    block: bytes


def decode_header(block: bytes) -> Header:
    """Take one block of 512 bytes apart.

    Raises:
        ValueError: the checksum is wrong, a field holds no number, or the size is negative.
    """
    name, mode, uid, gid, size, mtime, checksum, typeflag, linkname, magic = _READ.unpack(block)
    _verify_checksum(block, checksum)
    stored_size = decode_number(size)
    if stored_size < 0:
        raise ValueError("its size is negative")
    name = c_string(name)
    if block[345] and (prefix := _prefix(block, magic)):
        name = prefix + b"/" + name
    return Header(
        name,
        _repeated_number(mode),
        _repeated_number(uid),
        _repeated_number(gid),
        stored_size,
        _repeated_number(mtime),
        typeflag,
        c_string(linkname),
        block,
    )


def decode_number(field: bytes) -> int:
    """Return the number in a field: octal digits, or base-256 when the first bit is set.

    GNU tar and star write base-256 for what octal cannot say: large and negative numbers.

    Raises:
        ValueError: the field holds something else, or a number beyond 64 bits.
    """
    if field[0] & 0x80:
        return _decode_base256(field)
    digits = field.strip(b" \0")
    if digits.strip(_OCTAL) and (digits := c_string(digits)).strip(_OCTAL):
        raise ValueError(f"{field!r} is not an octal number")
    return int(digits, 8) if digits else 0


# Few different modes, owners and times fill a whole archive.
_repeated_number = lru_cache(maxsize=4096)(decode_number)


def _decode_base256(field: bytes) -> int:
    bits = 8 * len(field) - 1
    number = int.from_bytes(field, "big") - (1 << bits)
    if field[0] & 0x40:
        number -= 1 << bits
    if not -_INT64 <= number < _INT64:
        raise ValueError(f"{field!r} is a number beyond 64 bits")
    return number


def c_string(field: bytes) -> bytes:
    """Return the bytes before the first NUL."""
    return field.partition(b"\0")[0]


def device_numbers(block: bytes) -> tuple[int, int]:
    """Return the major and minor number of a device's header.

    Raises:
        ValueError: they are no numbers, or negative.
    """
    major, minor = decode_number(block[329:337]), decode_number(block[337:345])
    if major < 0 or minor < 0:
        raise ValueError("its device number is negative")
    return major, minor


def _verify_checksum(block: bytes, field: bytes) -> None:
    try:
        stored = decode_number(field)
    except ValueError as problem:
        raise ValueError("its header has no checksum") from problem
    if block.isascii():
        if _sum(block) - sum(block[148:156]) + 8 * 0x20 == stored:
            return
        raise ValueError("its checksum does not match")
    summed = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(summed)
    # Some historic writers added the bytes up as signed.
    signed = unsigned - 256 * sum(byte >> 7 for byte in summed)
    if stored not in (unsigned, signed):
        raise ValueError("its checksum does not match")


def _sum(block: bytes) -> int:
    # Adler-32's low half is 1 + the sum of the bytes modulo 65521, and 512 ASCII bytes
    # cannot reach that modulus: for them the fast way is exact.
    return (adler32(block) & 0xFFFF) - 1 if block.isascii() else sum(block)


def _prefix(block: bytes, magic: bytes) -> bytes:
    if magic.startswith(_USTAR):
        # star keeps times behind a shorter prefix, and signs at the end.
        return c_string(block[345:476] if block[508:] == b"tar\0" else block[345:500])
    if magic == _GNU:
        # GNU keeps times here; but Go before 1.8 wrote names, and old images have them.
        prefix = c_string(block[345:500])
        return b"" if _are_times(block) or not prefix.isascii() else prefix
    return b""


def _are_times(block: bytes) -> bool:
    try:
        decode_number(block[345:357])
        decode_number(block[357:369])
    except ValueError:
        return False
    return True


def encode_header(
    *,
    name: bytes,
    prefix: bytes = b"",
    mode: int = 0o644,
    uid: int = 0,
    gid: int = 0,
    size: int = 0,
    mtime: int = 0,
    typeflag: bytes,
    linkname: bytes = b"",
    devmajor: int = 0,
    devminor: int = 0,
) -> bytes:
    """Return a ustar header block without user and group names; every field must fit.

    Names are cut at their field's end; numbers must lie within 0 and ``MAX_OCTAL_8``, for size
    and mtime ``MAX_OCTAL_12``.
    """
    fields = [
        *(name, b"%07o" % mode, b"%07o" % uid, b"%07o" % gid, b"%011o" % size, b"%011o" % mtime),
        *(b" " * 8, typeflag, linkname, _USTAR + b"00"),
        *(b"%07o" % devmajor, b"%07o" % devminor, prefix),
    ]
    block = _WRITE.pack(*fields)
    return b"%b%06o\0 %b" % (block[:148], _sum(block), block[156:])
