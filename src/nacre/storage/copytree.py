"""Copying a tree, with all that a tree can have: links, owners, times, attributes, holes.

Where the file system can let two files share their bytes until one is written to (btrfs, xfs), they
do; elsewhere the kernel copies them.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from nacre.layers.apply import TreeBuilder
from nacre.layers.diff import TreeReader
from nacre.layers.diff.reading import Status
from nacre.layers.entry import Entry, Kind
from nacre.layers.paths import ROOT, joined
from nacre.layers.rootpath import Root

_CLONE = 0x40049409  # FICLONE of ioctl_ficlonerange(2)
_CANNOT_SHARE = frozenset({errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS})
_PIECE = 1 << 30


def copy_tree(source: Path, target: Path) -> None:
    """Make an empty directory a copy of another; sockets are left away.

    Raises:
        Unreadable: the source cannot be read.
        CannotUnpack: the disk fails or is full.
        Forbidden: the operating system does not let us.
    """
    with (
        Root.open(source) as old,
        Root.open(target) as new,
        TreeReader(old, is_kept=lambda _name: True) as reader,
        TreeBuilder(new) as builder,
    ):
        _Copy(reader, builder).run()
        builder.finish()


class _Copy:
    """The copying of one tree."""

    def __init__(self, reader: TreeReader, builder: TreeBuilder) -> None:
        self._reader = reader
        self._builder = builder
        self._first_names: dict[tuple[int, int], bytes] = {}

    def run(self) -> None:
        """Copy the tree, each directory before what is in it."""
        waiting = [ROOT]
        while waiting:
            path = waiting.pop()
            status = self._reader.status(path)
            self._make(path, status)
            if status.is_directory:
                waiting += [joined(path, name) for name in self._reader.names(path)]

    def _make(self, path: bytes, status: Status) -> None:
        found = status.found
        kind = status.kind
        if kind is None:
            return
        if found.st_nlink > 1 and kind is not Kind.DIR:
            first = self._first_names.setdefault((found.st_dev, found.st_ino), path)
            if first != path:
                self._builder.link(path, first)
                return
        entry = _entry(path, kind, status)
        if kind is Kind.REG:
            self._copy_file(path, entry)
        else:
            self._builder.make(path, entry)

    def _copy_file(self, path: bytes, entry: Entry) -> None:
        source = self._reader.open(path)
        try:
            self._builder.make_file(path, entry, lambda target: copy_content(source, target))
        finally:
            os.close(source)


def copy_content(source: int, target: int) -> None:
    """Give an empty file the content of another, by descriptor; holes stay holes.

    Raises:
        OSError: one of them cannot be read or written.
    """
    try:
        fcntl.ioctl(target, _CLONE, source)
    except OSError as problem:
        if problem.errno not in _CANNOT_SHARE:
            raise
        _copy_data(source, target)


def _copy_data(source: int, target: int) -> None:
    size = os.fstat(source).st_size
    os.ftruncate(target, size)
    start = end = 0
    while end < size:
        try:
            start = os.lseek(source, end, os.SEEK_DATA)
        except OSError as problem:
            if problem.errno == errno.ENXIO:  # nothing but a hole is left
                return
            raise
        end = os.lseek(source, start, os.SEEK_HOLE)
        while start < end:
            copied = os.copy_file_range(source, target, min(end - start, _PIECE), start, start)
            if not copied:
                return
            start += copied


def _entry(path: bytes, kind: Kind, status: Status) -> Entry:
    found = status.found
    seconds, nanoseconds = divmod(found.st_mtime_ns, 10**9)
    is_device = kind in (Kind.CHR, Kind.BLK)
    return Entry(
        path,
        kind,
        status.mode & 0o7777,
        found.st_uid,
        found.st_gid,
        found.st_size if kind is Kind.REG else 0,
        seconds,
        nanoseconds,
        linkname=status.linkname,
        devmajor=os.major(found.st_rdev) if is_device else 0,
        devminor=os.minor(found.st_rdev) if is_device else 0,
        xattrs=status.xattrs,
    )
