"""What the writer is given: a tree of inodes, and the devices that hold the bytes of its files."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from nacre.layers.entry import Extent, Kind

NOTHING: Mapping[bytes, Inode] = MappingProxyType({})


class Inode(NamedTuple):
    """One file of a tree, without its name: names are the keys of a directory's children.

    The same object under several names is one file with several hard links. A named tuple,
    because a large image has a million of them.
    """

    kind: Kind
    """Anything but ``Kind.LINK``."""
    mode: int = 0o644
    """The twelve permission bits."""
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    """Seconds since 1970, rounded down; may be negative."""
    mtime_nsec: int = 0
    """Nanoseconds to add to ``mtime``, below 1 000 000 000."""
    xattrs: tuple[tuple[bytes, bytes], ...] = ()
    """Extended attributes: pairs of full name and value, sorted by name, each name once."""
    children: Mapping[bytes, Inode] = NOTHING
    """What a directory holds, by name; neither ``.`` nor ``..``."""
    size: int = 0
    """Length in bytes of a file, holes included."""
    device: int = 0
    """Number of the device that holds the data of a file, counted from zero."""
    data_offset: int = 0
    """Where on that device the stored bytes of a file begin: a multiple of 512."""
    extents: tuple[Extent, ...] | None = None
    """Data of a sparse file, stored one after the other; None when it has no holes."""
    target: bytes = b""
    """Target of a symbolic link."""
    devmajor: int = 0
    devminor: int = 0


class Device(NamedTuple):
    """A file beside the image that holds file data: the raw tar of one layer.

    ``tag`` says which (at most 64 bytes; the hexadecimal digits of a SHA-256 fit), ``size`` is its
    length in bytes.
    """

    tag: bytes
    size: int
