"""Directories that get their attributes when all else is done.

What is made in a directory changes its times, and the permissions that the layer gives it may
forbid to make anything.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import NamedTuple

from nacre.layers.access import open_directory, unlock
from nacre.layers.apply.attributes import Attributes
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import NoSuchPath
from nacre.layers.rootpath import Directory, Root

IMPLIED = Entry(b"", Kind.DIR, 0o755)
"""What a directory is like that no layer lists: root's, of 1970."""


class _Listed(NamedTuple):
    """A directory that gets other attributes."""

    entry: Entry
    is_new: bool


class _Kept(NamedTuple):
    """A directory that gets its own attributes back."""

    times: tuple[int, int]
    mode: int | None


class PendingDirectories:
    """What each directory that was touched is to be like, by its path without links.

    Args:
        root: the root of the tree.
        attributes: sets them.
    """

    def __init__(self, root: Root, attributes: Attributes) -> None:
        self._root = root
        self._attributes = attributes
        self._found: dict[bytes, _Listed | _Kept] = {}

    def __contains__(self, path: bytes) -> bool:
        return path in self._found

    def made(self, path: bytes, entry: Entry = IMPLIED) -> None:
        """Note a directory that was just made."""
        self._found[path] = _Listed(entry, is_new=True)

    def change(self, path: bytes, entry: Entry = IMPLIED) -> None:
        """Note that a directory that exists is to be like ``entry``."""
        old = self._found.get(path)
        is_new = isinstance(old, _Listed) and old.is_new
        self._found[path] = _Listed(entry, is_new=is_new)

    def keep(self, directory: Directory) -> None:
        """Note that a directory is to stay as it is, and unlock it for the time being."""
        found = os.fstat(directory.fd)
        mode = unlock(directory.fd, stat.S_IMODE(found.st_mode))
        if directory.path not in self._found:
            self._found[directory.path] = _Kept((found.st_atime_ns, found.st_mtime_ns), mode)

    def finish(self) -> None:
        """Give all directories their attributes, the innermost first."""
        for path in sorted(self._found, reverse=True):
            # By now there may be none, or a link in its place.
            with suppress(NoSuchPath), self._root.directory(path, follow=False) as directory:
                self._finish_directory(directory.fd, path)

    def _finish_directory(self, handle: int, path: bytes) -> None:
        what = self._found[path]
        fd = open_directory(handle)
        try:
            if isinstance(what, _Kept):
                _restore(fd, what)
            elif what.is_new:
                self._attributes.set_file(fd, what.entry, path)
            else:
                self._attributes.replace_directory(fd, what.entry, path)
        finally:
            os.close(fd)


def _restore(fd: int, kept: _Kept) -> None:
    # Who may write to a directory of somebody else may not set its times.
    with suppress(PermissionError):
        if kept.mode is not None:
            os.fchmod(fd, kept.mode)
        os.utime(fd, ns=kept.times)
