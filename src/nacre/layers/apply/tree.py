"""The tree that a layer is applied to: making its members, and their parents, and giving way.

Every operation is on a name in an open directory, whose path was resolved inside the root.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import Self

from nacre.layers.access import unlock_name
from nacre.layers.apply.attributes import Attributes, Losses
from nacre.layers.apply.errors import BadMember
from nacre.layers.apply.pending import PendingDirectories
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import LayerLimit, NoSuchPath, TooManyLinks, shown
from nacre.layers.paths import ROOT, joined, split
from nacre.layers.removal import remove
from nacre.layers.rootpath import Directories, Directory, Root, refuse

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FORMATS = {Kind.FIFO: stat.S_IFIFO, Kind.CHR: stat.S_IFCHR, Kind.BLK: stat.S_IFBLK}


class TreeWriter:
    """Makes what a layer lists. It knows nothing of whiteouts, but keeps what they need to know.

    Args:
        root: the root of the tree.
        attributes: sets them.
        losses: where to note devices that this user may not make.
        max_depth: most directories above one another.
        track: whether to keep ``own``.
    """

    def __init__(
        self, root: Root, attributes: Attributes, losses: Losses, *, max_depth: int, track: bool
    ) -> None:
        self.root = root
        self.directories = PendingDirectories(root, attributes)
        self.own: set[bytes] | None = set() if track else None
        """Where this layer put something, as paths without links; None if that is not kept."""
        self.needed: set[bytes] = {ROOT}
        """Directories that something of this layer lies in, likewise."""
        self.replacements: set[bytes] = set()
        """Directories that took the place of something else, likewise."""
        self._attributes = attributes
        self._losses = losses
        self._max_depth = max_depth
        self._parents = Directories(root)
        self._latest: Directory | None = None
        self._unmade: set[bytes] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._parents:
            pass

    # Members

    def make_file(self, path: bytes) -> int:
        """Make an empty file that only its owner may open; return its descriptor."""
        directory, name = self._place(path)
        try:
            return os.open(name, _NEW_FILE, 0o600, dir_fd=directory.fd)
        except FileExistsError:
            self.remove(directory, name)
            return os.open(name, _NEW_FILE, 0o600, dir_fd=directory.fd)

    def make_directory(self, path: bytes, entry: Entry) -> None:
        """Make a directory, or give the one that is there other attributes."""
        if not path:
            self.directories.change(ROOT, entry)
            return
        directory, name = self._place(path)
        real = joined(directory.path, name)
        try:
            os.mkdir(name, 0o700, dir_fd=directory.fd)
        except FileExistsError:
            old = os.stat(name, dir_fd=directory.fd, follow_symlinks=False)
            if stat.S_ISDIR(old.st_mode):
                if old.st_mode & stat.S_IRWXU != stat.S_IRWXU:
                    unlock_name(directory.fd, name)
                self.directories.change(real, entry)
                return
            self._replace(directory, name)
        self.directories.made(real, entry)

    def make_symlink(self, path: bytes, entry: Entry) -> None:
        """Make a symbolic link; where it leads does not matter."""
        if not entry.linkname:
            raise BadMember(path, "is a link to nothing")
        directory, name = self._place(path)
        try:
            os.symlink(entry.linkname, name, dir_fd=directory.fd)
        except FileExistsError:
            self.remove(directory, name)
            os.symlink(entry.linkname, name, dir_fd=directory.fd)
        self._attributes.set_other(directory.fd, name, entry, path)

    def make_special(self, path: bytes, entry: Entry) -> None:
        """Make a device or pipe. Who may not make devices goes without."""
        directory, name = self._cleared_place(path)
        device = os.makedev(entry.devmajor, entry.devminor)
        try:
            os.mknod(name, _FORMATS[entry.kind] | 0o600, device, dir_fd=directory.fd)
        except PermissionError:
            if entry.kind is Kind.FIFO:
                raise
            self._losses.add("device", path)
            self._unmade.add(joined(directory.path, name))
            return
        self._attributes.set_other(directory.fd, name, entry, path)

    def make_link(self, path: bytes, target: bytes) -> None:
        """Give what has the path ``target`` one more name; attributes are not its own."""
        self._cleared_place(path)
        above, last = split(target)
        try:
            source = self._parents.get(above, obstacle=self._search)
            directory, name = self._place(path)
            if joined(source.path, last) in self._unmade:
                self._unmade.add(joined(directory.path, name))
                return
            _link(source, last or b".", directory, name)
        except (NoSuchPath, FileNotFoundError) as problem:
            text = f"is a hard link to {shown(target)}, which does not exist"
            raise BadMember(path, text) from problem
        except IsADirectoryError as problem:
            text = f"is a hard link to {shown(target)}, which is a directory"
            raise BadMember(path, text) from problem

    # What whiteouts need too

    def find_directory(self, path: bytes) -> Directory | None:
        """Open a directory in which something is to be removed; None if there is none."""
        try:
            directory = self._parents.get(path, obstacle=self._search)
        except (NoSuchPath, TooManyLinks):
            return None
        return self._kept(directory)

    def imply_directory(self, path: bytes) -> Directory | None:
        """Open a directory, made if there is nothing; None if there is something else."""
        try:
            return self._kept(self._parents.get(path, obstacle=self._make_if_free))
        except (NoSuchPath, TooManyLinks):
            return None

    def remove(self, directory: Directory, name: bytes) -> None:
        """Remove what has a name in an open directory.

        Raises:
            FileNotFoundError: there is nothing.
        """
        fd = directory.fd
        is_link = stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)
        if remove(fd, name) or is_link:
            self._parents.forget()

    # Places

    def _place(self, path: bytes) -> tuple[Directory, bytes]:
        above, _, name = path.rpartition(b"/")
        if not name:
            raise BadMember(path, "stands for the root, which can only be a directory")
        directory = self._parents.get(above, obstacle=self._make_way)
        if directory is not self._latest:
            self._latest = self._prepared(directory)
        if self.own is not None:
            self.own.add(joined(directory.path, name))
        return directory, name

    def _cleared_place(self, path: bytes) -> tuple[Directory, bytes]:
        directory, name = self._place(path)
        with suppress(FileNotFoundError):
            self.remove(directory, name)
        return directory, name

    def _kept(self, directory: Directory) -> Directory:
        if directory.path not in self.directories:
            self.directories.keep(directory)
        return directory

    def _prepared(self, directory: Directory) -> Directory:
        path = self._kept(directory).path
        while path not in self.needed:
            self.needed.add(path)
            path = split(path)[0]
        return directory

    def _replace(self, directory: Directory, name: bytes) -> None:
        self.remove(directory, name)
        os.mkdir(name, 0o700, dir_fd=directory.fd)
        self.replacements.add(joined(directory.path, name))

    # Obstacles on the way to a place

    def _make_way(self, directory: Directory, name: bytes, problem: OSError) -> None:
        if problem.errno == errno.ENOTDIR:
            self._replace(self._kept(directory), name)
            self.directories.made(joined(directory.path, name))
        else:
            self._make_if_free(directory, name, problem)

    def _make_if_free(self, directory: Directory, name: bytes, problem: OSError) -> None:
        if problem.errno != errno.ENOENT:
            self._search(directory, name, problem)
            return
        real = joined(self._kept(directory).path, name)
        if real.count(b"/") >= self._max_depth:
            raise LayerLimit(
                f"the directory {shown(real)} lies more than {self._max_depth} levels deep",
                limit="max_depth",
                maximum=self._max_depth,
            )
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=directory.fd)
        self.directories.made(real)

    def _search(self, directory: Directory, name: bytes, problem: OSError) -> None:
        if problem.errno == errno.EACCES:
            self.directories.keep(directory)
            # Fails again if the directory is somebody else's; what is there, if anything, is
            # found out by whoever tries again.
            with suppress(FileNotFoundError):
                os.stat(name, dir_fd=directory.fd, follow_symlinks=False)
            return
        refuse(directory, name, problem)


def _link(source: Directory, last: bytes, directory: Directory, name: bytes) -> None:
    try:
        os.link(last, name, src_dir_fd=source.fd, dst_dir_fd=directory.fd, follow_symlinks=False)
    except PermissionError:
        found = os.stat(last, dir_fd=source.fd, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError from None
        raise
