"""PAX extended headers: ``LENGTH KEY=VALUE`` records before a member (POSIX.1-2001, "pax").

Functions here raise ValueError with one clause; the reader adds where in the archive it was.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from urllib.parse import quote_from_bytes, unquote_to_bytes

_TIME = re.compile(rb"([+-]?)([0-9]{1,19})(?:\.([0-9]*))?")
_SCHILY = b"SCHILY.xattr."
_LIBARCHIVE = b"LIBARCHIVE.xattr."

Record = tuple[bytes, bytes]


def parse_records(body: bytes) -> list[Record]:
    """Split the body of an extended header into pairs of key and value, in order.

    Where a key comes twice the last one counts, except in sparse maps. Values are raw bytes:
    nothing guarantees UTF-8.

    Raises:
        ValueError: a length does not lead to the end of a record, or a record has no key.
    """
    records = []
    position = 0
    while position < len(body):
        space = body.find(b" ", position, position + 21)
        digits = body[position:space] if space > 0 else b""
        if not digits.isdigit():
            raise ValueError("a PAX record does not begin with its length")
        end = position + int(digits)
        # A length that is too small, or huge, would make readers disagree on the next record.
        if not space < end - 1 < len(body) or body[end - 1] != 0x0A:
            raise ValueError("the length of a PAX record is wrong")
        key, equals, value = body[space + 1 : end - 1].partition(b"=")
        if not key or not equals or b"\0" in key:
            raise ValueError("a PAX record has no key")
        records.append((key, value))
        position = end
    return records


def format_records(records: Iterable[Record]) -> bytes:
    """Return the body of an extended header; inverse of ``parse_records``."""
    return b"".join(_format_record(key, value) for key, value in records)


def _format_record(key: bytes, value: bytes) -> bytes:
    rest = len(key) + len(value) + 3
    # The length counts its own digits, which may need one digit more than the rest has.
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %b=%b\n" % (length, key, value)


def parse_number(value: bytes) -> int:
    """Return a record's decimal number.

    Raises:
        ValueError: it is negative, no number, or beyond 63 bits.
    """
    if not value.isdigit() or len(value) > 19:
        raise ValueError(f"{value[:40]!r} is not a decimal number")
    number = int(value)
    if number >> 63:
        raise ValueError(f"{value!r} is a number beyond 63 bits")
    return number


def parse_time(value: bytes) -> tuple[int, int]:
    """Return a record's time as seconds, rounded down, and nanoseconds.

    Raises:
        ValueError: it is no decimal fraction, or beyond 63 bits.
    """
    match = _TIME.fullmatch(value)
    if match is None or int(match[2]) >> 63:
        raise ValueError(f"{value[:40]!r} is not a time")
    nanoseconds = int(match[2]) * 10**9 + int((match[3] or b"")[:9].ljust(9, b"0"))
    return divmod(-nanoseconds if match[1] == b"-" else nanoseconds, 10**9)


def parse_text(value: bytes) -> bytes:
    """Return a record's path.

    Raises:
        ValueError: it holds a NUL, where other readers would end it.
    """
    if b"\0" in value:
        raise ValueError("a PAX path holds a NUL byte")
    return value


def parse_xattrs(records: dict[bytes, bytes]) -> tuple[Record, ...]:
    """Return the extended attributes among the records, sorted by name.

    ``SCHILY.xattr.NAME`` holds the raw value; ``LIBARCHIVE.xattr.NAME`` has the name URL-escaped
    and the value in base64, and yields where both are given.

    Raises:
        ValueError: a name is empty or holds a NUL, or base64 is broken.
    """
    raw = {key[len(_SCHILY) :]: value for key, value in records.items() if key.startswith(_SCHILY)}
    escaped = {
        unquote_to_bytes(key[len(_LIBARCHIVE) :]): _decode_base64(value)
        for key, value in records.items()
        if key.startswith(_LIBARCHIVE)
    }
    xattrs = {**escaped, **raw}
    if any(not name or b"\0" in name for name in xattrs):
        raise ValueError("an extended attribute has no usable name")
    return tuple(sorted(xattrs.items()))


def _decode_base64(value: bytes) -> bytes:
    # libarchive leaves the padding away.
    text = value.rstrip(b"=\n")
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error as problem:
        raise ValueError("the value of an extended attribute is not base64") from problem


def xattr_record(name: bytes, value: bytes) -> Record:
    """Return the record of one extended attribute.

    A name with ``=`` cannot be a key as it stands, so libarchive's escaped form takes it.
    """
    if b"=" in name:
        encoded = binascii.b2a_base64(value, newline=False).rstrip(b"=")
        return _LIBARCHIVE + quote_from_bytes(name, safe="").encode(), encoded
    return _SCHILY + name, value
