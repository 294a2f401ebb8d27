"""A header and the extended headers before it, put together into an entry.

Functions here raise ValueError with one clause; the reader adds where in the archive it was.
Where readers differ, this one sides with Go's archive/tar, so that a layer holds here what it
holds for other engines.
"""

from __future__ import annotations

from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import pax
from nacre.layers.tar.header import Header, device_numbers

SPARSE = b"S"
_V7_FILE = b"\0"
# POSIX: a contiguous file ("7") is a regular file to whoever knows no better.
_KINDS = {kind.value: kind for kind in Kind} | dict.fromkeys((_V7_FILE, b"7", SPARSE), Kind.REG)
_REG = Kind.REG
_LINKS = (Kind.LINK, Kind.SYMLINK)
_DEVICES = (Kind.CHR, Kind.BLK)
_MAX_ID = (1 << 32) - 2  # one more means nobody, to chown(2): leave the owner as it is


class Extensions:
    """What the headers before a member's own say about it."""

    __slots__ = ("body", "linkname", "name", "records")

    def __init__(self) -> None:
        self.records: list[pax.Record] = []
        """PAX records, in order."""
        self.body = b""
        """The same before they were parsed: a quick way to see what is not among them."""
        self.name = b""
        """GNU long name; empty when there is none."""
        self.linkname = b""
        """GNU long link; empty when there is none."""


def plain_entry(
    header: Header,
    *,
    header_offset: int,
    data_offset: int,
    mtime_nsec: int = 0,
    xattrs: tuple[pax.Record, ...] = (),
) -> Entry:
    """Return the entry that a header describes.

    Raises:
        ValueError: the type is unknown, or a number lies outside its range.
    """
    name, mode, uid, gid, size, mtime, typeflag, linkname, block = header
    kind = _kind(typeflag, name)
    if not (0 <= uid <= _MAX_ID and 0 <= gid <= _MAX_ID and mode >= 0):
        raise ValueError("its owner, group or mode is out of range")
    if kind is not _REG:
        size = 0  # whatever the header says: no body follows
    major, minor = device_numbers(block) if kind in _DEVICES else (0, 0)
    return Entry(
        name,
        kind,
        mode & 0o7777,
        uid,
        gid,
        size,
        mtime,
        mtime_nsec,
        linkname if kind in _LINKS else b"",
        major,
        minor,
        xattrs,
        None,
        header_offset,
        data_offset,
        size,
    )


def _kind(typeflag: bytes, name: bytes) -> Kind:
    kind = _KINDS.get(typeflag)
    if kind is None:
        raise ValueError(f"its type {typeflag!r} is none a layer can hold")
    return Kind.DIR if typeflag == _V7_FILE and name.endswith(b"/") else kind


def extended_entry(
    header: Header, extensions: Extensions, *, header_offset: int, data_offset: int
) -> Entry:
    """Return the entry that a header and the extended headers before it describe.

    An empty value leaves the header's own in place.

    Raises:
        ValueError: a record is malformed; and as ``plain_entry``.
    """
    records = dict(extensions.records)
    name = extensions.name or pax.parse_text(records.get(b"path", b""))
    linkname = extensions.linkname or pax.parse_text(records.get(b"linkpath", b""))
    mtime, mtime_nsec = header.mtime, 0
    if value := records.get(b"mtime"):
        mtime, mtime_nsec = pax.parse_time(value)
    merged = Header(
        name or header.name,
        header.mode,
        _number(records, b"uid", header.uid),
        _number(records, b"gid", header.gid),
        _number(records, b"size", header.size),
        mtime,
        header.typeflag,
        linkname or header.linkname,
        header.block,
    )
    return plain_entry(
        merged,
        header_offset=header_offset,
        data_offset=data_offset,
        mtime_nsec=mtime_nsec,
        xattrs=pax.parse_xattrs(records) if b".xattr." in extensions.body else (),
    )


def _number(records: dict[bytes, bytes], key: bytes, default: int) -> int:
    value = records.get(key)
    return pax.parse_number(value) if value else default
