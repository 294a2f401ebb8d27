"""Locks on files, held by flock(2): they end with their process, however it ends.

Whoever removes or renames a locked file does so while holding its lock. So a file that is locked
and still in its place is the one that everybody else looks at.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_READ_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_SHORTEST_WAIT, _LONGEST_WAIT = 0.001, 0.05


def keep_waiting() -> None:
    """Wait for a lock for as long as it takes."""


@contextmanager
def locked_file(
    path: Path, *, mode: int = 0o600, waiting: Callable[[], None] = keep_waiting
) -> Iterator[int]:
    """Open a file for reading and writing, made when missing, and hold its lock.

    ``waiting`` is called about twenty times a second while somebody else has the lock; what it
    raises ends the wait. The file descriptor is closed at the end of the block.

    Raises:
        OSError: the file cannot be opened or locked.
    """
    descriptor = _acquire(path, mode, waiting)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Say whether a living process holds the lock of a file; a missing file has none."""
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def remove_unlocked(path: Path) -> int:
    """Remove a file unless somebody holds its lock, and return how many bytes that freed."""
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except FileNotFoundError:
        return 0
    try:
        if not _try_lock(descriptor) or not in_place(descriptor, path):
            return 0
        path.unlink()
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def in_place(descriptor: int, path: Path) -> bool:
    """Say whether an open file is the one that a path leads to."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _acquire(path: Path, mode: int, waiting: Callable[[], None]) -> int:
    while True:
        descriptor = os.open(path, _FLAGS, mode)
        try:
            _lock(descriptor, waiting)
            if in_place(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, waiting: Callable[[], None]) -> None:
    # Asking again and again, rather than blocking in the kernel: only so can a thread that waits
    # for another process be told to give up.
    pause = _SHORTEST_WAIT
    while not _try_lock(descriptor):
        waiting()
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_WAIT)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
