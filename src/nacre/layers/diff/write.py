"""Writing changes as a layer: the same tree and changes always give the same bytes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from nacre.layers.diff.changes import Change, ChangeKind
from nacre.layers.diff.reading import Status, TreeReader, Xattrs
from nacre.layers.entry import Entry, Kind
from nacre.layers.ownership import KEEP, RECORD, Ownership
from nacre.layers.rootpath import Root
from nacre.layers.tar import END_OF_ARCHIVE, BodyTooShort, header_blocks, padding
from nacre.layers.tar.pieces import Pieces, Sink
from nacre.layers.whiteout import Overlay, whiteout

_CAPABILITY = b"security.capability"
_SECOND = 10**9


def write_layer(
    out: Sink,
    tree: Root,
    changes: Iterable[Change],
    *,
    ownership: Ownership = KEEP,
    overlay: Overlay | None = None,
    clamp_mtime: int | None = None,
) -> None:
    """Write a layer's tar.

    Times are in whole seconds, rounded down; there are no user or group names. Of the extended
    attributes there are ``security.capability``, ``security.ima`` and ``user.*``. The first name
    of a hard-linked file among the changes has its content, the others are links to it.

    Args:
        out: where to, in pieces of a megabyte; it stays open.
        tree: the tree as it is now, or the upper directory that the changes were found in.
        changes: what to write, in the order of the layer.
        ownership: how owners on disk become owners in the layer.
        overlay: the form of overlayfs that the tree has, if it is an upper directory.
        clamp_mtime: what is younger, in seconds since 1970, gets this time.

    Raises:
        Unmapped: an owner has no number in the layer.
        CannotWrite: a tar cannot hold an entry, or a file shrank meanwhile.
        Conflict: someone changes the tree meanwhile.
        Unreadable: the tree cannot be read.
        OSError: ``out`` cannot be written.
    """
    pieces = Pieces(out)
    with TreeReader(tree, overlay=overlay) as reader:
        writer = _Writer(pieces, reader, ownership, clamp_mtime)
        for kind, path in changes:
            if kind is ChangeKind.DELETED:
                pieces.write(header_blocks(Entry(whiteout(path), Kind.REG, 0)))
            else:
                writer.write(path)
    pieces.write(END_OF_ARCHIVE)
    pieces.flush()


class _Writer:
    """Writes members of one layer."""

    def __init__(
        self, out: Pieces, reader: TreeReader, ownership: Ownership, clamp_mtime: int | None
    ) -> None:
        self._out = out
        self._reader = reader
        self._ownership = ownership
        self._clamp_mtime = clamp_mtime
        self._first_names: dict[tuple[int, int], bytes] = {}

    def write(self, path: bytes) -> None:
        """Write what is under a path."""
        status = self._reader.status(path)
        kind = status.kind
        if kind is None:
            return
        entry = self._entry(path, kind, status)
        if kind is not Kind.DIR and status.found.st_nlink > 1:
            inode = status.found.st_dev, status.found.st_ino
            first = self._first_names.setdefault(inode, path)
            if first is not path:
                link = entry._replace(kind=Kind.LINK, linkname=first, size=0, xattrs=())
                self._out.write(header_blocks(link))
                return
        if kind is Kind.REG and entry.size:
            self._write_file(path, entry)
        else:
            self._out.write(header_blocks(entry))

    def _write_file(self, path: bytes, entry: Entry) -> None:
        file = self._reader.open(path)
        try:
            self._out.write(header_blocks(entry))
            missing = self._out.copy(file, entry.size)
        finally:
            os.close(file)
        if missing:
            raise BodyTooShort(entry, missing)
        self._out.write(padding(entry.size))

    def _entry(self, path: bytes, kind: Kind, status: Status) -> Entry:
        found = status.found
        recorded = dict(status.xattrs).get(RECORD) if self._ownership.record else None
        uid, gid = self._ownership.in_layer(found.st_uid, found.st_gid, recorded)
        mtime = found.st_mtime_ns // _SECOND
        if self._clamp_mtime is not None:
            mtime = min(mtime, self._clamp_mtime)
        is_device = kind in (Kind.CHR, Kind.BLK)
        return Entry(
            path or b"./",
            kind,
            stat.S_IMODE(status.mode),
            uid,
            gid,
            found.st_size if kind is Kind.REG else 0,
            mtime,
            linkname=status.linkname,
            devmajor=os.major(found.st_rdev) if is_device else 0,
            devminor=os.minor(found.st_rdev) if is_device else 0,
            xattrs=self._stored(status.xattrs),
        )

    def _stored(self, xattrs: Xattrs) -> Xattrs:
        return tuple(
            (name, portable_capability(value) if name == _CAPABILITY else value)
            for name, value in xattrs
            if not (self._ownership.record and name == RECORD)
        )


def portable_capability(value: bytes) -> bytes:
    """Return a file capability without the user namespace that it was set in.

    Version 3 of the attribute is version 2 with one more number, that of the namespace's root.
    """
    version = int.from_bytes(value[:4], "little")
    if version >> 24 != 3 or len(value) != 24:
        return value
    return (version & 0xFFFFFF | 2 << 24).to_bytes(4, "little") + value[4:20]
