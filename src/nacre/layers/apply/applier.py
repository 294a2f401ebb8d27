"""A layer's tar goes in, in pieces as it arrives, and a tree on disk comes out.

What a layer does to the tree is told at the top of ``nacre.layers.union.fold``; here the same is
done to files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from nacre.layers.access import names_in
from nacre.layers.apply.attributes import Attributes, Loss, Losses
from nacre.layers.apply.body import Body
from nacre.layers.apply.errors import BadMember, unpack_error
from nacre.layers.apply.tree import TreeWriter
from nacre.layers.apply.whiteouts import (
    NoWhiteouts,
    OverlayWhiteouts,
    RemovingWhiteouts,
    Whiteouts,
)
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import LayerLimit, TooManyLinks
from nacre.layers.ownership import KEEP, Ownership
from nacre.layers.paths import ROOT, clean, joined, split
from nacre.layers.rootpath import Root
from nacre.layers.tar import Scanner
from nacre.layers.whiteout import PREFIX, Overlay, Role, role, stored_link, target

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_SIZE = 1 << 40
MAX_DEPTH = 512

# Where the files of AUFS's store of links are until all links to them are made. No member of a
# layer can have that name.
_STORE = b".wh..wh.plnk"
_MAX_HELD = 4 << 20
_REG, _DIR, _SYMLINK, _LINK = Kind.REG, Kind.DIR, Kind.SYMLINK, Kind.LINK


class Applied(NamedTuple):
    """What applying a layer came to."""

    entries: int
    """How many members it had, whiteouts included."""
    size: int
    """Length in bytes of all files together, holes included."""
    losses: tuple[Loss, ...]
    """What could not be kept."""


class Applier:
    """Is fed a layer's tar and applies it to a tree.

    Leave it as a context manager. After an error the tree is of no use; nothing outside of it
    was changed.

    Args:
        root: the root of the tree, which stays the caller's; empty, or with the lower layers.
        overlay: None to apply whiteouts to the tree; else the tree must be empty, and whiteouts
            are converted to this form of overlayfs.
        ownership: how the layer's owners become owners on disk.
        scanner: the reader of the tar, which has limits of its own; a fresh one.
        max_size: most bytes of all files together, holes included.
        max_depth: most directories above one another.
    """

    def __init__(
        self,
        root: Root,
        *,
        overlay: Overlay | None = None,
        ownership: Ownership = KEEP,
        scanner: Scanner | None = None,
        max_size: int = MAX_SIZE,
        max_depth: int = MAX_DEPTH,
    ) -> None:
        self._scanner = scanner or Scanner()
        self._max_size = max_size
        self._losses = Losses()
        self._attributes = Attributes(ownership, overlay, self._losses)
        has_lower = overlay is None and bool(names_in(root.fd))
        self._tree = TreeWriter(
            root, self._attributes, self._losses, max_depth=max_depth, track=has_lower
        )
        self._whiteouts = _whiteouts(self._tree, overlay)
        if not has_lower:
            self._tree.directories.made(ROOT)
        self._fed = 0
        self._held = bytearray()  # the latest bytes that are no part of any member so far
        self._members_end = 0
        self._body: Body | None = None
        self._stored: dict[bytes, bytes] = {}
        self._marked: dict[bytes, None] = {}  # directories with whiteouts, each once
        self._entries = 0
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._body is not None:
            self._body.close()
        with self._tree:
            pass

    def feed(self, chunk: Buffer) -> None:
        """Take the next bytes of the tar.

        Raises:
            BadArchive: a header is malformed.
            BadMember: a member cannot be applied to the tree.
            LayerLimit: the layer exceeds one of the limits.
            CannotUnpack: the disk fails or is full.
            Forbidden: the operating system does not let us.
        """
        with memoryview(chunk) as whole, whole.cast("B") as view:
            entries = self._scanner.feed(view)
            if self._body is not None:
                self._continue(self._body, view)
            if entries and entries[0].data_offset < self._fed:
                # The map of a sparse file was read together with some of its data.
                self._apply_all(entries, memoryview(bytes(self._held) + view), len(self._held))
            elif entries:
                self._apply_all(entries, view, 0)
            self._hold(view)
            self._fed += len(view)

    def finish(self) -> Applied:
        """Say that the whole tar was fed; return what it came to.

        Raises:
            Truncated: the tar ends inside a header or a body.
            BadMember, CannotUnpack, Forbidden: as ``feed``.
        """
        self._scanner.finish()
        try:
            if self._stored and (directory := self._tree.find_directory(ROOT)):
                self._tree.remove(directory, _STORE)
            # Only once all members are there it is known which directories have to be made.
            for marked in self._marked:
                self._tree.imply_directory(marked)
            self._whiteouts.finish()
            self._tree.directories.finish()
        except OSError as problem:
            raise unpack_error(ROOT, problem) from problem
        return Applied(self._entries, self._size, tuple(self._losses))

    # The stream

    def _apply_all(self, entries: list[Entry], view: memoryview, held: int) -> None:
        start = self._fed - held
        self._entries += len(entries)
        for entry in entries:
            path = clean(entry.name)
            try:
                self._apply(path, entry, view, entry.data_offset - start)
            except OSError as problem:
                raise unpack_error(path, problem) from problem
            except ValueError as problem:
                raise BadMember(path, f"is malformed: {problem}") from problem
            except TooManyLinks as problem:
                raise BadMember(path, "lies behind links that run in circles") from problem
        self._members_end = entries[-1].data_offset + entries[-1].stored_size

    def _continue(self, body: Body, view: memoryview) -> None:
        try:
            if body.write(view, 0):
                self._close(body)
        except OSError as problem:
            raise unpack_error(body.path, problem) from problem

    def _hold(self, view: memoryview) -> None:
        # Headers may become a member with the next bytes, and what is behind them its content.
        beyond = self._members_end - self._fed
        if beyond > 0:
            self._held.clear()
        if not self._scanner.has_end_marker:
            self._held += view[max(beyond, 0) :]
            del self._held[:-_MAX_HELD]

    # Members

    def _apply(self, path: bytes, entry: Entry, view: memoryview, offset: int) -> None:
        if PREFIX in path and (what := role(path)):
            self._apply_marker(path, what, entry, view, offset)
            return
        kind = entry.kind
        if kind is _REG:
            self._make_file(path, entry, view, offset)
        elif kind is _DIR:
            self._tree.make_directory(path, entry)
        elif kind is _SYMLINK:
            self._tree.make_symlink(path, entry)
        elif kind is _LINK:
            linked = clean(entry.linkname)
            self._tree.make_link(path, self._stored.get(stored_link(linked), linked))
        else:
            self._tree.make_special(path, entry)

    def _make_file(self, path: bytes, entry: Entry, view: memoryview, offset: int) -> None:
        self._size += entry.size
        if self._size > self._max_size:
            raise LayerLimit(
                f"the files of the layer take more than {self._max_size} bytes",
                limit="max_size",
                maximum=self._max_size,
            )
        if offset < 0:
            raise BadMember(path, "has a sparse map that is too long")
        body = self._body = Body(self._tree.make_file(path), entry, path)
        if body.write(view, offset):
            self._close(body)

    def _close(self, body: Body) -> None:
        self._attributes.set_file(body.fd, body.entry, body.path)
        self._body = None
        body.close()

    def _apply_marker(
        self, path: bytes, what: Role, entry: Entry, view: memoryview, offset: int
    ) -> None:
        if what is Role.METADATA:
            if entry.kind is _REG and (name := stored_link(path)):
                place = joined(_STORE, b"%d" % len(self._stored))
                self._make_file(place, entry, view, offset)
                self._stored[name] = place
            return
        directory = split(path)[0]
        self._marked[directory] = None
        if what is Role.OPAQUE:
            self._whiteouts.hide(directory)
        else:
            self._whiteouts.remove(directory, split(target(path))[1])


def _whiteouts(tree: TreeWriter, overlay: Overlay | None) -> Whiteouts:
    if overlay is not None:
        return OverlayWhiteouts(tree, overlay)
    return NoWhiteouts() if tree.own is None else RemovingWhiteouts(tree)
