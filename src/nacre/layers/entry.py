"""One member of a layer: its name, what it is, its attributes, and where its bytes lie."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

MASKED = frozenset({b"security.selinux", b"system.nfs4_acl"})
"""Extended attributes that mean something only on the machine where they were set."""


class Kind(Enum):
    """What a member is; the value is the type flag of its tar header."""

    REG = b"0"
    LINK = b"1"
    """A hard link: another name of the file ``linkname``."""
    SYMLINK = b"2"
    CHR = b"3"
    BLK = b"4"
    DIR = b"5"
    FIFO = b"6"


class Extent(NamedTuple):
    """A stretch of a sparse file that holds data; whatever no extent covers reads as zeros."""

    offset: int
    length: int


class Entry(NamedTuple):
    """One member of a layer. A named tuple, because a large image has a million of them.

    Names are the bytes of the archive, as they stand there: they may start with ``./`` or
    ``/``, hold ``..``, or be no UTF-8; a directory's usually ends in ``/``.
    """

    name: bytes
    kind: Kind
    mode: int = 0o644
    """The twelve permission bits."""
    uid: int = 0
    gid: int = 0
    size: int = 0
    """Length in bytes of the file, holes included; zero for everything but files."""
    mtime: int = 0
    """Seconds since 1970, rounded down; may be negative."""
    mtime_nsec: int = 0
    """Nanoseconds to add to ``mtime``, below 1 000 000 000."""
    linkname: bytes = b""
    """Target of a hard or symbolic link."""
    devmajor: int = 0
    devminor: int = 0
    xattrs: tuple[tuple[bytes, bytes], ...] = ()
    """Extended attributes: pairs of name and value, sorted by name, each name once."""
    sparse: tuple[Extent, ...] | None = None
    """Data of a sparse file: ascending, disjoint, not empty; None when the file has no map."""
    header_offset: int = 0
    """Where in the tar the member begins, its extended headers included."""
    data_offset: int = 0
    """Where in the tar its stored bytes begin: always a multiple of 512."""
    stored_size: int = 0
    """How many bytes the tar stores: ``size``, or for a sparse file the sum of its extents."""
