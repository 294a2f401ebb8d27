"""Making a tree of nodes that are known beforehand, rather than of a tar that passes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Self

from nacre.layers.apply.attributes import Attributes, Loss, Losses
from nacre.layers.apply.body import Body
from nacre.layers.apply.errors import BadMember, unpack_error
from nacre.layers.apply.tree import TreeWriter
from nacre.layers.apply.whiteouts import OverlayWhiteouts
from nacre.layers.entry import Entry, Kind
from nacre.layers.ownership import KEEP, Ownership
from nacre.layers.paths import ROOT, split
from nacre.layers.rootpath import Root
from nacre.layers.whiteout import Overlay

MAX_DEPTH = 2048
_PIECE = 1 << 20


class TreeBuilder:
    """Makes a tree in an empty directory, in any order that has parents and link targets first.

    Leave it as a context manager. After an error the tree is of no use.

    Args:
        root: the root of the tree, which stays the caller's.
        overlay: the form in which what is removed is written down; None for a plain tree, from
            which nothing can be removed.
        ownership: how owners in a layer become owners on disk.
    """

    def __init__(
        self, root: Root, *, overlay: Overlay | None = None, ownership: Ownership = KEEP
    ) -> None:
        self._losses = Losses()
        self._attributes = Attributes(ownership, overlay, self._losses)
        self._tree = TreeWriter(
            root, self._attributes, self._losses, max_depth=MAX_DEPTH, track=False
        )
        self._whiteouts = OverlayWhiteouts(self._tree, overlay) if overlay else None
        self._tree.directories.made(ROOT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._tree:
            pass

    def make(self, path: bytes, entry: Entry, content: BinaryIO | None = None) -> None:
        """Make something under a clean path.

        Args:
            path: where; what ``entry`` says of that does not count.
            entry: what it is; no hard link.
            content: of a file, gives the bytes that are stored of it.

        Raises:
            BadMember: this file system cannot hold it, or ``content`` ends before its size.
            CannotUnpack: the disk fails or is full.
            Forbidden: the operating system does not let us.
        """
        with _disk_errors(path):
            if entry.kind is Kind.DIR:
                self._tree.make_directory(path, entry)
            elif entry.kind is Kind.SYMLINK:
                self._tree.make_symlink(path, entry)
            elif entry.kind is Kind.REG:
                self._make_file(path, entry, lambda body: _fill(body, content))
            else:
                self._tree.make_special(path, entry)

    def make_file(self, path: bytes, entry: Entry, fill: Callable[[int], None]) -> None:
        """Make a file that ``fill`` writes the content of, given its descriptor.

        Raises:
            BadMember, CannotUnpack, Forbidden: as ``make``.
        """
        with _disk_errors(path):
            self._make_file(path, entry, lambda body: fill(body.fd))

    def link(self, path: bytes, target: bytes) -> None:
        """Give what was made under ``target`` one more name.

        Raises:
            BadMember, CannotUnpack, Forbidden: as ``make``.
        """
        with _disk_errors(path):
            self._tree.make_link(path, target)

    def remove(self, path: bytes) -> None:
        """Write down that what lies below under a path is gone."""
        if self._whiteouts is not None:
            self._whiteouts.remove(*split(path))

    def hide(self, directory: bytes) -> None:
        """Write down that what lies below in a directory is gone."""
        if self._whiteouts is not None:
            self._whiteouts.hide(directory)

    def finish(self) -> tuple[Loss, ...]:
        """Complete the tree; return what could not be kept.

        Raises:
            CannotUnpack, Forbidden: as ``make``.
        """
        with _disk_errors(ROOT):
            if self._whiteouts is not None:
                self._whiteouts.finish()
            self._tree.directories.finish()
        return tuple(self._losses)

    def _make_file(self, path: bytes, entry: Entry, fill: Callable[[Body], None]) -> None:
        body = Body(self._tree.make_file(path), entry, path)
        try:
            fill(body)
            self._attributes.set_file(body.fd, entry, path)
        finally:
            body.close()


def _fill(body: Body, content: BinaryIO | None) -> None:
    left = body.entry.stored_size
    while left:
        piece = content.read(min(left, _PIECE)) if content else b""
        if not piece:
            raise BadMember(body.path, f"ends {left} bytes before its size")
        body.write(memoryview(piece), 0)
        left -= len(piece)


@contextmanager
def _disk_errors(path: bytes) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise unpack_error(path, problem) from problem
