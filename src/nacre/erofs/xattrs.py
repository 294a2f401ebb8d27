"""Extended attributes: the body between an inode and whatever else follows it.

A header of 12 bytes, then entries: length of the name, number of its prefix, length of the value,
then name without prefix and value; each entry is padded to a multiple of 4.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from struct import Struct

from nacre.erofs.errors import shown

Xattrs = tuple[tuple[bytes, bytes], ...]

_HEADER = bytes(12)  # no name filter, no shared attributes
_ENTRY = Struct("<BBH")
_WORD = 4
_PREFIXES = (
    (1, b"user."),
    (2, b"system.posix_acl_access"),
    (3, b"system.posix_acl_default"),
    (4, b"trusted."),
    (6, b"security."),
)
_NAMES = dict(_PREFIXES)
_WHOLE = (2, 3)  # these are names, with nothing behind them
_MAX_NAME = 0xFF  # prefix and all: the format would have room for more, listxattr(2) has not
_MAX_VALUE = 0xFFFF
_MAX_COUNT = 0xFFFF


# Most files have none, and where all have some, they are the same few.
@lru_cache(maxsize=64)
def encode_xattrs(xattrs: Xattrs) -> bytes:
    """Return the body: empty without attributes, otherwise a multiple of 4 bytes.

    Raises:
        ValueError: a name or value does not fit the format, or there are too many of them.
    """
    if not xattrs:
        return b""
    if any(one[0] >= two[0] for one, two in pairwise(xattrs)):
        raise ValueError("its extended attributes are not sorted")
    body = _HEADER + b"".join([_entry(name, value) for name, value in xattrs])
    if count_of(body) > _MAX_COUNT:
        raise ValueError("its extended attributes are too long together")
    return body


def count_of(body: bytes) -> int:
    """Return what an inode says of the length of its attributes' body."""
    return (len(body) - len(_HEADER)) // _WORD + 1 if body else 0


def body_size(count: int) -> int:
    """Return the length of the body in bytes; inverse of ``count_of``."""
    return len(_HEADER) + (count - 1) * _WORD if count else 0


def decode_xattrs(body: bytes) -> Xattrs:
    """Return the attributes of a body.

    Raises:
        ValueError: the body is malformed, or of a kind that nacre does not write.
    """
    if not body.startswith(_HEADER):
        raise ValueError("its extended attributes have a header that is not supported")
    xattrs: list[tuple[bytes, bytes]] = []
    position = len(_HEADER)
    while position < len(body):
        name_size, prefix, value_size = _ENTRY.unpack_from(body, position)
        start = position + _ENTRY.size
        middle, end = start + name_size, start + name_size + value_size
        if end > len(body) or prefix not in _NAMES or (name_size and prefix in _WHOLE):
            raise ValueError("an extended attribute is malformed")
        xattrs.append((_NAMES[prefix] + body[start:middle], body[middle:end]))
        position = end + -end % _WORD
    if encode_xattrs(found := tuple(sorted(xattrs))) != body:
        raise ValueError("its extended attributes are malformed")
    return found


def _entry(name: bytes, value: bytes) -> bytes:
    split = _split(name)
    if split is None:
        raise ValueError(f"its extended attribute {shown(name)} has no place in the format")
    if len(value) > _MAX_VALUE:
        raise ValueError(f"its extended attribute has a value of {len(value)} bytes")
    prefix, rest = split
    entry = _ENTRY.pack(len(rest), prefix, len(value)) + rest + value
    return entry + bytes(-len(entry) % _WORD)


def _split(name: bytes) -> tuple[int, bytes] | None:
    for number, prefix in _PREFIXES:
        if name.startswith(prefix):
            rest = name[len(prefix) :]
            fits = not rest if number in _WHOLE else rest != b"" and len(name) <= _MAX_NAME
            return (number, rest) if fits and b"\0" not in rest else None
    return None
