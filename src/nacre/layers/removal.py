"""Removing whatever a name stands for, with all that is in it, and nothing else.

However deep the tree, only two directories are open at a time. The way up is checked: a directory
that someone moved elsewhere meanwhile does not lead out.
"""

from __future__ import annotations

import os
from contextlib import suppress

from nacre.errors import Conflict
from nacre.layers.access import open_directory, unlock_name
from nacre.layers.errors import shown


def remove(parent: int, name: bytes) -> bool:
    """Remove what has a name in an open directory; links are not followed.

    Args:
        parent: descriptor of the directory; ``O_PATH`` is enough.
        name: one part of a path.

    Returns:
        Whether it was a directory.

    Raises:
        FileNotFoundError: there is nothing.
        Conflict: someone else moves things while they are removed.
        OSError: it cannot be removed.
    """
    try:
        os.unlink(name, dir_fd=parent)
    except IsADirectoryError:
        _Removal(parent, name).run()
        return True
    return False


class _Removal:
    """The removal of one tree."""

    def __init__(self, parent: int, name: bytes) -> None:
        self._parent = parent
        self._name = name
        # For every directory on the way down: what it is, its name, and what is left to do in it.
        self._way: list[tuple[os.stat_result, bytes, list[bytes]]] = []
        self._fd = -1

    def run(self) -> None:
        """Remove the tree."""
        try:
            self._enter(self._parent, self._name)
            while self._way:
                _, name, left = self._way[-1]
                if left:
                    self._enter(self._fd, left.pop())
                else:
                    self._leave(name)
        finally:
            if self._fd >= 0:
                os.close(self._fd)

    def _enter(self, parent: int, name: bytes) -> None:
        try:
            fd = open_directory(parent, name)
        except PermissionError:
            unlock_name(parent, name)
            fd = open_directory(parent, name)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        with suppress(PermissionError):
            os.fchmod(fd, 0o700)
        self._way.append((os.fstat(fd), name, self._remove_files()))

    def _remove_files(self) -> list[bytes]:
        directories = []
        with os.scandir(self._fd) as found:
            entries = [(os.fsencode(one.name), one.is_dir(follow_symlinks=False)) for one in found]
        for name, is_directory in entries:
            if is_directory:
                directories.append(name)
            else:
                os.unlink(name, dir_fd=self._fd)
        return directories

    def _leave(self, name: bytes) -> None:
        self._way.pop()
        if not self._way:
            os.rmdir(name, dir_fd=self._parent)
            return
        above = open_directory(self._fd, b"..")
        os.close(self._fd)
        self._fd = above
        if not os.path.samestat(os.fstat(above), self._way[-1][0]):
            raise Conflict(f"{shown(self._name)} is being changed by someone else")
        os.rmdir(name, dir_fd=above)
