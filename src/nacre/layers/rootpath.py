"""Paths inside a directory taken as a root, which nothing leads out of.

Symbolic links are resolved as in a chroot: absolute ones begin at the root, and ``..`` ends there.
Everything is done on descriptors of open directories, never on a path as text, so whoever swaps
a directory for a link at the same time gains nothing (CVE-2018-15664, CVE-2025-47290).

There is one way to resolve: part by part, links by hand. Where no link is in the way, openat2(2)
does all parts at once; kernels without it are only slower.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn, Self

from nacre.errors import Conflict
from nacre.layers.errors import MAX_LINKS, LayerLimit, NoSuchPath, TooManyLinks, shown
from nacre.layers.paths import joined, split

MAX_STEPS = 50_000_000

DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""How to open a directory to name what is in it; it need not be readable."""

_MAX_ATTEMPTS = 8
_OPENAT2 = 437  # on every architecture that nacre knows of
_RESOLVE_NO_MAGICLINKS, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 0x02, 0x04, 0x08
_HOW = (ctypes.c_uint64 * 3)(
    DIRECTORY, 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS
)
_syscall = ctypes.CDLL(None).syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = (
    *(ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t),
)


class Directory(NamedTuple):
    """An open directory inside a root."""

    fd: int
    """Opened with ``DIRECTORY``: good for the ``dir_fd`` of other calls, not for reading."""
    path: bytes
    """The clean path that leads there without any symbolic link."""


class Place(NamedTuple):
    """A name in an open directory; whether there is anything is not said."""

    fd: int
    """Descriptor of the directory, as in ``Directory``."""
    path: bytes
    """The clean path without symbolic links, the name included."""
    name: bytes
    """The name; ``.`` for the root itself."""


Obstacle = Callable[[Directory, bytes, OSError], None]
"""Is told of a name in a directory that could not be opened as one: it is missing, something else
or not accessible. It raises, or changes that and returns, and then the name is tried again."""


class Root:
    """A directory as the root of paths.

    Args:
        fd: descriptor of the directory; closed with the root.
        max_steps: most parts of paths to resolve by hand in all, because links that lead
            through each other multiply the work.
    """

    def __init__(self, fd: int, *, max_steps: int = MAX_STEPS) -> None:
        self.fd = fd
        self._max_steps = max_steps
        self._steps = 0

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, max_steps: int = MAX_STEPS) -> Self:
        """Open the directory at a path of this machine.

        Raises:
            OSError: there is none.
        """
        return cls(os.open(path, os.O_PATH | os.O_DIRECTORY), max_steps=max_steps)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self.fd)

    @contextmanager
    def parent(
        self, path: bytes, *, obstacle: Obstacle | None = None, follow: bool = True
    ) -> Iterator[Place]:
        """Open the directory that a clean path's last part is a name in; that is not followed.

        Args:
            path: a clean path, see ``nacre.layers.paths``.
            obstacle: what to do where a directory is missing; by default NoSuchPath is raised.
            follow: whether links on the way are followed; else they are obstacles.

        Raises:
            NoSuchPath, TooManyLinks, LayerLimit, OSError: see ``open_directory``.
        """
        above, name = split(path)
        directory = self.open_directory(above, obstacle=obstacle, follow=follow)
        try:
            yield Place(directory.fd, joined(directory.path, name), name or b".")
        finally:
            os.close(directory.fd)

    @contextmanager
    def directory(
        self, path: bytes, *, obstacle: Obstacle | None = None, follow: bool = True
    ) -> Iterator[Directory]:
        """Open a directory while in use; see ``open_directory``."""
        directory = self.open_directory(path, obstacle=obstacle, follow=follow)
        try:
            yield directory
        finally:
            os.close(directory.fd)

    def open_directory(
        self, path: bytes, *, obstacle: Obstacle | None = None, follow: bool = True
    ) -> Directory:
        """Open the directory that a clean path leads to; the caller closes its descriptor.

        Args:
            path: a clean path, see ``nacre.layers.paths``.
            obstacle: what to do where a directory is missing; by default NoSuchPath is raised.
            follow: whether links are followed, the last one too; else they are obstacles.

        Raises:
            NoSuchPath: there is none.
            TooManyLinks: symbolic links run in circles.
            LayerLimit: the work exceeds ``max_steps``.
            OSError: the kernel refuses, for example for want of permission.
        """
        fd = _open_without_links(self.fd, path)
        if fd >= 0:
            return Directory(fd, path)
        walk = _Walk(self.fd, path, obstacle or refuse, follow=follow)
        try:
            while walk.todo:
                self._count(path)
                walk.step()
        except BaseException:
            os.close(walk.fd)
            raise
        return Directory(walk.fd, b"/".join(walk.parts))

    def _count(self, path: bytes) -> None:
        self._steps += 1
        if self._steps > self._max_steps:
            raise LayerLimit(
                f"resolving {shown(path)} takes more than {self._max_steps} steps in all",
                limit="max_steps",
                maximum=self._max_steps,
            )


def refuse(directory: Directory, name: bytes, problem: OSError) -> NoReturn:
    """Raise what an obstacle means when nothing is to be done about it; an ``Obstacle``.

    Raises:
        NoSuchPath: the name is missing or no directory.
        OSError: anything else.
    """
    if problem.errno not in (errno.ENOENT, errno.ENOTDIR):
        raise problem
    path = joined(directory.path, name)
    missing = problem.errno == errno.ENOENT
    why = "there is no such path" if missing else "it is no directory"
    raise NoSuchPath(f"cannot open {shown(path)}: {why}", path=path) from problem


def _open_without_links(root: int, path: bytes) -> int:
    # Negative when there is a link in the way, or the kernel cannot do it, or for any other reason.
    return int(_syscall(_OPENAT2, root, path or b".", _HOW, ctypes.sizeof(_HOW)))


class _Walk:
    """The way of one path, part by part. ``fd`` is the directory reached, and open."""

    def __init__(self, root: int, path: bytes, obstacle: Obstacle, *, follow: bool) -> None:
        self._root = root
        self._follow = follow
        self._path = path
        self._obstacle = obstacle
        self._links = 0
        self._attempts = 0
        self.fd = _reopened(root)
        self.parts: list[bytes] = []
        self.todo = path.split(b"/")[::-1]

    def step(self) -> None:
        """Do the next part."""
        part = self.todo.pop()
        if part in (b"", b"."):
            return
        if part == b"..":
            self._climb()
            return
        try:
            fd = os.open(part, DIRECTORY, dir_fd=self.fd)
        except OSError as problem:
            self._pass(part, problem)
            return
        os.close(self.fd)
        self.fd = fd
        self.parts.append(part)
        self._attempts = 0

    def _climb(self) -> None:
        # Not by opening "..": a directory moved elsewhere meanwhile would lead out there.
        del self.parts[-1:]
        above = self.parts[::-1]
        self._restart()
        self.todo += above

    def _restart(self) -> None:
        fd = _reopened(self._root)
        os.close(self.fd)
        self.fd = fd
        self.parts = []

    def _pass(self, part: bytes, problem: OSError) -> None:
        may_be_link = self._follow and problem.errno == errno.ENOTDIR
        target = _link_target(self.fd, part) if may_be_link else None
        if target is None:
            self._attempts += 1
            if self._attempts > _MAX_ATTEMPTS:
                # Somebody undoes what the obstacle's owner does.
                raise Conflict(f"{shown(self._path)} is being changed by someone else")
            self._obstacle(Directory(self.fd, b"/".join(self.parts)), part, problem)
            self.todo.append(part)
            return
        self._links += 1
        if self._links > MAX_LINKS:
            raise TooManyLinks(self._path)
        if target.startswith(b"/"):
            self._restart()
        self.todo += target.split(b"/")[::-1]


def _reopened(fd: int) -> int:
    return os.open(b".", DIRECTORY, dir_fd=fd)


def _link_target(directory: int, name: bytes) -> bytes | None:
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return None


class Directories:
    """Keeps the directories that were used last open, for most paths have siblings.

    Args:
        root: where the paths begin.
        follow: whether links are followed.
        size: most directories to keep open.
    """

    def __init__(self, root: Root, *, follow: bool = True, size: int = 32) -> None:
        self._root = root
        self._follow = follow
        self._size = size
        self._open: dict[bytes, Directory] = {}
        self._stale: list[Directory] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.forget()
        self._close_stale()

    def get(self, path: bytes, *, obstacle: Obstacle | None = None) -> Directory:
        """Return the directory that a clean path leads to; it stays open past the next call.

        Raises:
            NoSuchPath, TooManyLinks, LayerLimit, OSError: as ``Root.open_directory``.
        """
        directory = self._open.get(path)
        if directory is None:
            self._close_stale()
            directory = self._root.open_directory(path, obstacle=obstacle, follow=self._follow)
            if len(self._open) >= self._size:
                self._stale.append(self._open.pop(next(iter(self._open))))
            self._open[path] = directory
        return directory

    def forget(self) -> None:
        """Resolve all paths anew, for they may lead elsewhere now."""
        self._stale += self._open.values()
        self._open.clear()

    def _close_stale(self) -> None:
        while self._stale:
            os.close(self._stale.pop().fd)
