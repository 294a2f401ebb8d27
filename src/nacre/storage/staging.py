"""Folders that appear whole or not at all, and go in the same way.

::

    <folder>/<kind>/<key>           in place
    <folder>/new/<random>           being made, or on its way out
    <folder>/new/<random>.lock      locked by whoever does that
    <folder>/making-<kind>-<key>    locked by whoever makes what others may want too
    <folder>/users                  shared by those who begin to use something, locked by who prunes

What is made is on disk, all of it, before it is in place: one call syncs the whole file system,
which for the ten thousands of files of a layer takes a fraction of what syncing each would.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from nacre.content.diskerrors import disk_errors
from nacre.content.durable import make_folder, sync_folder
from nacre.content.locking import locked_file
from nacre.errors import Conflict
from nacre.layers.removal import remove

_PRIVATE = 0o700
_EXISTS = frozenset({errno.EEXIST, errno.ENOTEMPTY})
_NEW, _LOCK, _MAKING, _USERS = "new", ".lock", "making-", "users"


class Staging:
    """Folders of several kinds, safe for many processes and threads at once.

    Args:
        folder: where they lie; made, for nobody else, when something is first made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._new = folder / _NEW

    def place(self, kind: str, key: str) -> Path:
        """Return where something is, if it is there."""
        return self.folder / kind / key

    def keys(self, kind: str) -> list[str]:
        """Return the keys of all that is in place of one kind, sorted."""
        with suppress(FileNotFoundError):
            return sorted(path.name for path in (self.folder / kind).iterdir())
        return []

    @contextmanager
    def new(self) -> Iterator[Path]:
        """Enter the making of a folder: an empty one, removed in the end unless put in place.

        Raises:
            Denied, Unavailable: the disk cannot be written to.
        """
        name = os.urandom(8).hex()
        folder, lock = self._new / name, self._new / f"{name}{_LOCK}"
        with ExitStack() as stack:
            with disk_errors(self.folder):
                make_folder(self._new, _PRIVATE)
                stack.enter_context(locked_file(lock))
                stack.callback(lock.unlink, missing_ok=True)
                folder.mkdir(_PRIVATE)
            try:
                yield folder
            finally:
                self._discard(name)

    def put(self, new: Path, kind: str, key: str) -> None:
        """Put a folder in place, durably; if there is one already, that one stays.

        Raises:
            Denied, Unavailable: the disk cannot be written to.
        """
        place = self.place(kind, key)
        with disk_errors(self.folder):
            make_folder(place.parent, _PRIVATE)
            sync_file_system(new)
            try:
                new.rename(place)
            except OSError as problem:
                if problem.errno not in _EXISTS:
                    raise
            sync_folder(place.parent)

    @contextmanager
    def making(self, kind: str, key: str) -> Iterator[None]:
        """Enter the making of something that others may want too: one thread at a time."""
        lock = self.folder / f"{_MAKING}{kind}-{key}"
        with ExitStack() as stack:
            with disk_errors(self.folder):
                make_folder(self.folder, _PRIVATE)
                stack.enter_context(locked_file(lock))
                # While it is held, so that whoever waits for it notices.
                stack.callback(lock.unlink, missing_ok=True)
            yield

    @contextmanager
    def using(self) -> Iterator[None]:
        """Keep what is in place from being removed, while its use begins."""
        with self._users(fcntl.LOCK_SH):
            yield

    def take_away(self, doomed: Iterable[tuple[str, str]]) -> None:
        """Remove folders; they are out of place at once, and nobody uses anything meanwhile.

        Args:
            doomed: kinds and keys, found out when nobody uses anything. Whatever refers to another
                one comes before it.
        """
        if not self.folder.exists():
            return
        with self.new() as gone, self._users(fcntl.LOCK_EX):
            for number, (kind, key) in enumerate(doomed):
                with disk_errors(self.folder), suppress(FileNotFoundError):
                    self.place(kind, key).rename(gone / str(number))

    def recover(self) -> None:
        """Remove what dead processes left."""
        # All the while with the lock: whoever only looks whether it is free may have come before
        # somebody who just begins, and take away what that one makes.
        with suppress(FileNotFoundError):
            for lock in sorted(self._new.glob(f"*{_LOCK}")):
                with suppress(Conflict), locked_file(lock, waiting=_busy):
                    self._discard(lock.name.removesuffix(_LOCK))
                    lock.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            for lock in sorted(self.folder.glob(f"{_MAKING}*")):
                with suppress(Conflict), locked_file(lock, waiting=_busy):
                    lock.unlink(missing_ok=True)

    def _discard(self, name: str) -> None:
        with disk_errors(self.folder):
            folder = os.open(self._new, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                with suppress(FileNotFoundError):
                    remove(folder, os.fsencode(name))
            finally:
                os.close(folder)

    @contextmanager
    def _users(self, how: int) -> Iterator[None]:
        with disk_errors(self.folder):
            make_folder(self.folder, _PRIVATE)
            # Not to write: where that cannot be, what is there can be used all the same.
            flags = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            users = os.open(self.folder / _USERS, flags, 0o600)
        try:
            fcntl.flock(users, how)
            yield
        finally:
            os.close(users)


def _busy() -> None:
    raise Conflict("it is being made")


def disk_usage(sizes: Iterable[int]) -> int:
    """Return about how many bytes of disk files and directories of these sizes take."""
    return sum(max(1, -(-size // 4096)) * 4096 for size in sizes)


def sync_file_system(folder: Path) -> None:
    """Make all that lies on the file system of a folder durable.

    Raises:
        OSError: the disk failed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
