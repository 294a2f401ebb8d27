"""Reading a tree, every part of it, without leaving it and without changing it.

What its owner may not read, although it is the owner's, is unlocked for as long as it is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, Self, TypeVar

from nacre.errors import Conflict, Unavailable
from nacre.layers.access import by_descriptor, chmod, names_in, unlock, unlocked_name
from nacre.layers.entry import Kind
from nacre.layers.errors import NoSuchPath, shown
from nacre.layers.paths import split
from nacre.layers.rootpath import Directories, Directory, Root, refuse
from nacre.layers.whiteout import Overlay

T = TypeVar("T")
Xattrs = tuple[tuple[bytes, bytes], ...]

_SAVED = frozenset({b"security.capability", b"security.ima"})
_USER = b"user."
_KINDS = {
    stat.S_IFREG: Kind.REG,
    stat.S_IFDIR: Kind.DIR,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHR,
    stat.S_IFBLK: Kind.BLK,
    stat.S_IFIFO: Kind.FIFO,
}
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 20


class Unreadable(Unavailable):
    """A part of a tree cannot be read. ``path`` is its clean path."""

    usual_remedy = "check the disk, and whose the files are"

    def __init__(self, path: bytes, problem: OSError) -> None:
        super().__init__(f"cannot read {shown(path)}: {os.strerror(problem.errno or 0)}")
        self.path = path


class Status(NamedTuple):
    """What a tree says of one path."""

    found: os.stat_result
    mode: int
    """Kind and permission bits, as they were before anything was unlocked."""
    linkname: bytes
    """Target of a symbolic link."""
    xattrs: Xattrs
    """Extended attributes that count, by their names in a layer, sorted."""
    overlay: Xattrs
    """Those of overlayfs itself."""

    @property
    def kind(self) -> Kind | None:
        """What it is; None for what a layer cannot hold, a socket."""
        return _KINDS.get(stat.S_IFMT(self.mode))

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)


def is_portable(name: bytes) -> bool:
    """Say whether a layer keeps an extended attribute: it means the same on all machines."""
    return name in _SAVED or name.startswith(_USER)


class TreeReader:
    """Reads a tree. Leave it as a context manager: it locks again what it unlocked.

    Args:
        root: the root of the tree, which stays the caller's.
        overlay: the form of overlayfs that the tree has, if it is an upper directory.
        is_kept: says by its name whether an extended attribute counts.
    """

    def __init__(
        self,
        root: Root,
        *,
        overlay: Overlay | None = None,
        is_kept: Callable[[bytes], bool] = is_portable,
    ) -> None:
        self._root = root
        self._is_kept = is_kept
        self._overlay = overlay
        self._directories = Directories(root, follow=False)
        self._unlocked: dict[bytes, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        # The innermost first, while those around them can be passed.
        for path, mode in sorted(self._unlocked.items(), reverse=True):
            with suppress(Exception):
                chmod(self._directories.get(path).fd, mode)
        with self._directories:
            pass

    def names(self, path: bytes) -> list[bytes]:
        """Return the names in a directory, sorted.

        Raises:
            NoSuchPath: there is none.
            Unreadable: the disk fails, or it is somebody else's.
        """
        directory = self._directory(path)
        return sorted(self._patiently(path, directory, lambda: names_in(directory.fd)))

    def status(self, path: bytes) -> Status:
        """Return what is under a path; links are not followed.

        Raises:
            NoSuchPath, Unreadable: as ``names``.
        """
        above, name = split(path)
        directory = self._directory(above)
        name = name or b"."
        return self._patiently(path, directory, lambda: self._status(directory, path, name))

    def open(self, path: bytes) -> int:
        """Open a regular file for reading; return its descriptor.

        Raises:
            Conflict: it is no regular file any more.
            NoSuchPath, Unreadable: as ``names``.
        """
        above, name = split(path)
        directory = self._directory(above)
        fd = self._patiently(path, directory, lambda: _opened(directory.fd, name))
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise Conflict(f"{shown(path)} is being changed by someone else")
        return fd

    def same_content(self, path: bytes, other: TreeReader) -> bool:
        """Say whether two trees have the same bytes in the regular file under a path."""
        one = self.open(path)
        try:
            two = other.open(path)
            try:
                return _same_bytes(one, two)
            finally:
                os.close(two)
        finally:
            os.close(one)

    def _status(self, directory: Directory, path: bytes, name: bytes) -> Status:
        found = os.stat(name, dir_fd=directory.fd, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(name, dir_fd=directory.fd)
            return Status(found, found.st_mode, target, (), ())
        mode = stat.S_IFMT(found.st_mode) | self._unlocked.get(path, stat.S_IMODE(found.st_mode))
        there = by_descriptor(directory.fd) + b"/" + name
        names = _xattr_names(there)
        if not names:
            return Status(found, mode, b"", (), ())
        try:
            kept = self._xattrs(there, names)
        except PermissionError:  # to know their names takes less than to read them
            with unlocked_name(directory.fd, name):
                kept = self._xattrs(there, names)
        return Status(found, mode, b"", *kept)

    def _xattrs(self, there: bytes, names: Iterable[bytes]) -> tuple[Xattrs, Xattrs]:
        saved, own = [], []
        for name in names:
            stored = self._overlay.unescaped(name) if self._overlay else name
            if stored is None:
                own.append((name, os.getxattr(there, name, follow_symlinks=False)))
            elif self._is_kept(stored):
                saved.append((stored, os.getxattr(there, name, follow_symlinks=False)))
        return tuple(sorted(saved)), tuple(sorted(own))

    def _directory(self, path: bytes) -> Directory:
        try:
            return self._directories.get(path, obstacle=self._pass)
        except OSError as problem:
            raise Unreadable(path, problem) from problem

    def _pass(self, directory: Directory, name: bytes, problem: OSError) -> None:
        if not isinstance(problem, PermissionError) or not self._unlock(directory):
            refuse(directory, name, problem)

    def _patiently(self, path: bytes, directory: Directory, action: Callable[[], T]) -> T:
        try:
            try:
                return action()
            except PermissionError:
                if not self._unlock(directory):
                    raise
                return action()
        except (FileNotFoundError, NotADirectoryError) as problem:
            raise NoSuchPath(f"there is no {shown(path)} in the tree", path=path) from problem
        except OSError as problem:
            raise Unreadable(path, problem) from problem

    def _unlock(self, directory: Directory) -> bool:
        mode = unlock(directory.fd)
        if mode is not None:
            self._unlocked.setdefault(directory.path, mode)
        return mode is not None


def _xattr_names(path: bytes) -> list[bytes]:
    try:
        return [os.fsencode(name) for name in os.listxattr(path, follow_symlinks=False)]
    except OSError as problem:
        if isinstance(problem, FileNotFoundError | PermissionError):
            raise
        return []  # the file system has none


def _opened(parent: int, name: bytes) -> int:
    try:
        return os.open(name, _OPEN, dir_fd=parent)
    except PermissionError:
        with unlocked_name(parent, name):
            return os.open(name, _OPEN, dir_fd=parent)


def _same_bytes(one: int, two: int) -> bool:
    while True:
        left, right = os.read(one, _CHUNK), os.read(two, _CHUNK)
        if left != right:
            return False
        if not left:
            return True
