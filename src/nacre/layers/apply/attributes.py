"""Setting what a layer says of its members: owner, extended attributes, mode, times.

In this order, because giving a file away takes its set-user-ID bit and its capabilities.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from nacre.layers.access import by_descriptor, chmod
from nacre.layers.apply.errors import AttributeTooLarge
from nacre.layers.entry import MASKED, Entry, Kind
from nacre.layers.ownership import RECORD, Ownership, encode_owner
from nacre.layers.whiteout import Overlay
from nacre.layers.xattrs import is_settable

# EINVAL: a value that means something to the kernel, an ID that is not mapped here for example.
_UNWELCOME = frozenset({errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EINVAL})
_TOO_LARGE = frozenset({errno.ENOSPC, errno.E2BIG})
_LATEST = (1 << 62) * 10**9

SetXattr = Callable[[bytes, bytes], None]


class Loss(NamedTuple):
    """Something that the layer says and this machine, file system or user cannot keep."""

    what: str
    """``device``, or ``xattr`` and the name of an extended attribute."""
    members: int
    """How many lost it."""
    example: bytes
    """The clean path of the first of them."""


class Losses:
    """Counts what got lost."""

    def __init__(self) -> None:
        self._found: dict[str, Loss] = {}

    def add(self, what: str, path: bytes) -> None:
        """Note that a member lost something."""
        old = self._found.get(what)
        self._found[what] = old._replace(members=old.members + 1) if old else Loss(what, 1, path)

    def __iter__(self) -> Iterator[Loss]:
        return iter(self._found.values())


class Attributes:
    """Gives members of a tree their attributes.

    Args:
        ownership: how owners in the layer become owners on disk.
        overlay: the form of overlayfs that the tree takes, None for a plain tree.
        losses: where to note what cannot be set.
    """

    def __init__(self, ownership: Ownership, overlay: Overlay | None, losses: Losses) -> None:
        self._record = ownership.record
        self._overlay = overlay
        self._losses = losses
        self._owner = lru_cache(maxsize=4096)(ownership.on_disk)

    def set_file(self, fd: int, entry: Entry, path: bytes) -> None:
        """Set those of a regular file, or of a directory, by descriptor."""
        os.fchown(fd, *self._owner(entry.uid, entry.gid))
        if entry.xattrs or self._record:
            self._set_xattrs(fd, entry, path, lambda name, value: os.setxattr(fd, name, value))
        os.fchmod(fd, entry.mode)
        time = timestamp(entry)
        os.utime(fd, ns=(time, time))

    def replace_directory(self, fd: int, entry: Entry, path: bytes) -> None:
        """Set those of a directory that has others so far."""
        for name in map(os.fsencode, os.listxattr(fd)):
            # What may not be removed was set by somebody else, not by a layer.
            with suppress(PermissionError):
                if self._is_replaced(name):
                    os.removexattr(fd, name)
        self.set_file(fd, entry, path)

    def set_other(self, parent: int, name: bytes, entry: Entry, path: bytes) -> None:
        """Set those of a link, device or pipe by its name in an open directory."""
        uid, gid = self._owner(entry.uid, entry.gid)
        os.chown(name, uid, gid, dir_fd=parent, follow_symlinks=False)
        if entry.xattrs:
            there = by_descriptor(parent) + b"/" + name

            def set_one(key: bytes, value: bytes) -> None:
                os.setxattr(there, key, value, follow_symlinks=False)

            self._set_xattrs(parent, entry, path, set_one)
        if entry.kind is not Kind.SYMLINK:
            _chmod(parent, name, entry.mode)
        time = timestamp(entry)
        os.utime(name, ns=(time, time), dir_fd=parent, follow_symlinks=False)

    def _set_xattrs(self, disk: int, entry: Entry, path: bytes, set_one: SetXattr) -> None:
        """Set them all; ``disk`` is a descriptor of something on the same file system."""
        xattrs = entry.xattrs
        if self._record and entry.kind in (Kind.REG, Kind.DIR):
            xattrs = tuple(pair for pair in xattrs if pair[0] != RECORD)
            if entry.uid or entry.gid:
                xattrs += ((RECORD, encode_owner(entry.uid, entry.gid)),)
        for name, value in xattrs:
            if name in MASKED:
                continue
            stored = self._overlay.escaped(name) if self._overlay else name
            if not is_settable(entry.kind, stored, value):
                self._lose(name, path)
                continue
            try:
                set_one(stored, value)
            except OSError as problem:
                if problem.errno in _TOO_LARGE and not _is_full(disk):
                    raise AttributeTooLarge(path, name, len(value)) from problem
                if problem.errno not in _UNWELCOME:
                    raise
                self._lose(name, path)

    def _lose(self, name: bytes, path: bytes) -> None:
        self._losses.add(f"xattr {name.decode(errors='backslashreplace')}", path)

    def _is_replaced(self, name: bytes) -> bool:
        if name in MASKED:
            return False
        return self._overlay is None or self._overlay.unescaped(name) is not None


def timestamp(entry: Entry) -> int:
    """Return a member's time in nanoseconds since 1970, as far away as a file system takes it."""
    return max(-_LATEST, min(entry.mtime * 10**9 + entry.mtime_nsec, _LATEST))


def _is_full(disk: int) -> bool:
    # ext4 says of an attribute that is larger than a block that no space is left.
    found = os.fstatvfs(disk)
    return not found.f_bavail


def _chmod(parent: int, name: bytes, mode: int) -> None:
    # chmod(2) would follow a link that took the place of what we made.
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
    try:
        chmod(fd, mode)
    finally:
        os.close(fd)
