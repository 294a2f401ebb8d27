"""Getting at what belongs to us although its own permission bits forbid it.

Root and those with a user namespace never need this. An ordinary user who unpacks a layer does:
layers hold directories that not even their owner may write to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

_READABLE = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ALL = stat.S_IRWXU


def by_descriptor(fd: int) -> bytes:
    """Return a path to an open file, for calls that take no descriptor opened with ``O_PATH``."""
    return b"/proc/self/fd/%d" % fd


def chmod(fd: int, mode: int) -> None:
    """Set the permission bits of an open file; of all descriptors, one with ``O_PATH`` will do.

    Raises:
        OSError: it is a symbolic link, or somebody else's.
    """
    os.chmod(by_descriptor(fd), mode)  # noqa: PTH101 - paths are bytes


def unlock(fd: int, mode: int | None = None) -> int | None:
    """Let the owner of a file do anything with it.

    Args:
        fd: its descriptor; ``O_PATH`` is enough.
        mode: its permission bits, when they are known.

    Returns:
        The bits that it had, None when nothing had to be changed or could be.
    """
    if mode is None:
        mode = stat.S_IMODE(os.fstat(fd).st_mode)
    if mode & _ALL == _ALL:
        return None
    try:
        chmod(fd, mode | _ALL)
    except OSError:
        return None
    return mode


def open_directory(parent: int, name: bytes = b".") -> int:
    """Open a directory to list it or to set its attributes; no link is followed.

    Raises:
        OSError: there is none, or it is locked.
    """
    return os.open(name, _READABLE, dir_fd=parent)


def unlock_name(parent: int, name: bytes) -> None:
    """Unlock what has a name in an open directory, unless it is a link.

    Raises:
        OSError: there is nothing.
    """
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
    try:
        unlock(fd)
    finally:
        os.close(fd)


@contextmanager
def unlocked_name(parent: int, name: bytes) -> Iterator[None]:
    """Unlock what has a name in an open directory, as ``unlock_name``, and lock it again.

    Raises:
        OSError: there is nothing.
    """
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
    try:
        mode = unlock(fd)
        try:
            yield
        finally:
            if mode is not None:
                chmod(fd, mode)
    finally:
        os.close(fd)


def names_in(parent: int, name: bytes = b".") -> list[bytes]:
    """Return the names in a directory, itself a name in an open one, in no order.

    Raises:
        OSError: there is none, or it is locked.
    """
    fd = open_directory(parent, name)
    try:
        with os.scandir(fd) as found:
            return [os.fsencode(one.name) for one in found]
    finally:
        os.close(fd)
