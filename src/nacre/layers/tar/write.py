"""Writing a tar: the same entries always give the same bytes.

Plain ustar where it can say everything, else a PAX extended header before it. No user or group
names, no times but that of the last change, in whole seconds.
"""

from __future__ import annotations

import re
from typing import IO

from nacre.errors import Invalid
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import shown
from nacre.layers.tar.header import BLOCK, MAX_OCTAL_8, MAX_OCTAL_12, encode_header
from nacre.layers.tar.pax import Record, format_records, xattr_record

END_OF_ARCHIVE = bytes(2 * BLOCK)
"""The marker that ends a tar: two zero blocks."""

_EXTENDED = b"x"
_NAME_FIELD, _PREFIX_FIELD = 100, 155
_NOT_PRINTABLE = re.compile(rb"[^ -~]")
_COPY_SIZE = 1 << 20


class CannotWrite(Invalid):
    """A tar cannot hold the entry. ``name`` is the entry's."""

    def __init__(self, message: str, *, name: bytes) -> None:
        super().__init__(message)
        self.name = name


class BodyTooShort(CannotWrite):
    """A file has fewer bytes than its entry says: somebody cuts it off meanwhile."""

    def __init__(self, entry: Entry, missing: int) -> None:
        super().__init__(
            f"the body of {shown(entry.name)} ends {missing} bytes before its size",
            name=entry.name,
        )


def write_entry(out: IO[bytes], entry: Entry, body: IO[bytes] | None = None) -> None:
    """Write one member: headers, ``entry.size`` bytes from ``body``, padding.

    Raises:
        CannotWrite: the entry is malformed.
        BodyTooShort: the body ends before its size.
    """
    out.write(header_blocks(entry))
    left = entry.size if entry.kind is Kind.REG else 0
    while left:
        piece = body.read(min(left, _COPY_SIZE)) if body else b""
        if not piece:
            raise BodyTooShort(entry, left)
        out.write(piece)
        left -= len(piece)
    out.write(padding(entry.size if entry.kind is Kind.REG else 0))


def padding(size: int) -> bytes:
    """Return the zeros that fill the last block of a body of ``size`` bytes."""
    return bytes(-size % BLOCK)


def header_blocks(entry: Entry) -> bytes:
    """Return the header of a member, an extended header before it when it needs one.

    A directory's name is given its final slash. ``mtime_nsec`` is dropped, and of a sparse
    file the header announces the whole size: its holes must be written out.

    Raises:
        CannotWrite: a name, link target or attribute name is empty or holds a NUL; a name ends
            in a slash and is no directory's; a number other than the time is negative; or a
            device number is too large.
    """
    name = _checked_name(entry)
    records: list[Record] = [xattr_record(*xattr) for xattr in entry.xattrs]
    prefix, base = _split(name)
    if not base:
        records.append((b"path", name))
        base = _stand_in(name)
    linkname = entry.linkname if entry.kind in (Kind.LINK, Kind.SYMLINK) else b""
    if len(linkname) > _NAME_FIELD or not linkname.isascii():
        records.append((b"linkpath", linkname))
        linkname = _stand_in(linkname)
    is_device = entry.kind in (Kind.CHR, Kind.BLK)
    header = encode_header(
        name=base,
        prefix=prefix,
        mode=entry.mode & 0o7777,
        uid=_fitting(records, b"uid", entry.uid, MAX_OCTAL_8),
        gid=_fitting(records, b"gid", entry.gid, MAX_OCTAL_8),
        size=_fitting(records, b"size", entry.size, MAX_OCTAL_12) if entry.kind is Kind.REG else 0,
        mtime=_fitting(records, b"mtime", entry.mtime, MAX_OCTAL_12),
        typeflag=entry.kind.value,
        linkname=linkname,
        devmajor=entry.devmajor if is_device else 0,
        devminor=entry.devminor if is_device else 0,
    )
    return _extended_header(name, records) + header if records else header


def _checked_name(entry: Entry) -> bytes:
    name = entry.name
    problem = ""
    if not name or b"\0" in name + entry.linkname:
        problem = "its name or link is empty or holds a NUL byte"
    elif not entry.linkname and entry.kind in (Kind.LINK, Kind.SYMLINK):
        problem = "it is a link to nothing"
    elif any(not key or b"\0" in key for key, _ in entry.xattrs):
        problem = "an extended attribute has no usable name"
    elif name.endswith(b"/") and entry.kind is not Kind.DIR:
        problem = "only a directory's name ends in a slash"
    elif min(entry.uid, entry.gid, entry.size, entry.devmajor, entry.devminor) < 0:
        problem = "a number is negative"
    elif max(entry.devmajor, entry.devminor) > MAX_OCTAL_8:
        problem = "its device number is too large"
    if problem:
        raise CannotWrite(f"cannot write {shown(name)} to a tar: {problem}", name=name)
    return name + b"/" if entry.kind is Kind.DIR and not name.endswith(b"/") else name


def _split(name: bytes) -> tuple[bytes, bytes]:
    # Prefix and name field; both empty when the name does not fit them.
    if not name.isascii():
        return b"", b""
    if len(name) <= _NAME_FIELD:
        return b"", name
    slash = name.rfind(b"/", 0, min(len(name) - 1, _PREFIX_FIELD + 1))
    base = name[slash + 1 :]
    return (name[:slash], base) if slash > 0 and len(base) <= _NAME_FIELD else (b"", b"")


def _stand_in(name: bytes) -> bytes:
    # What a reader without PAX sees instead.
    return _NOT_PRINTABLE.sub(b"?", name)[:_NAME_FIELD]


def _fitting(records: list[Record], key: bytes, number: int, maximum: int) -> int:
    # The number as its header field takes it; if it does not fit, a record does.
    if 0 <= number <= maximum:
        return number
    records.append((key, b"%d" % number))
    return 0


def _extended_header(name: bytes, records: list[Record]) -> bytes:
    body = format_records(sorted(records))
    base = name.rstrip(b"/").rpartition(b"/")[2]
    header = encode_header(
        name=_stand_in(b"PaxHeaders.0/" + base), size=len(body), typeflag=_EXTENDED
    )
    return header + body + padding(len(body))
