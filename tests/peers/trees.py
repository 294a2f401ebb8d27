"""The tree that one tar makes, as the EROFS writer takes it. For tars without whiteouts."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from nacre.erofs.inode import Inode
from nacre.layers.entry import Entry, Kind


def tree_of(entries: Iterable[Entry], *, device: int = 0) -> Inode:
    """Return the root of what the entries of a tar unpack to, their data on one device."""
    tree: dict[bytes, Inode] = {b"": _directory()}
    for entry in entries:
        path = _clean(entry.name)
        is_link = entry.kind is Kind.LINK
        inode = tree[_clean(entry.linkname)] if is_link else _inode(entry, device)
        if entry.kind is Kind.DIR and path in tree:
            inode = inode._replace(children=tree[path].children)
        _put(tree, path, inode)
    return tree[b""]


def _clean(name: bytes) -> bytes:
    return posixpath.normpath(b"/" + name).lstrip(b"/")


def _put(tree: dict[bytes, Inode], path: bytes, inode: Inode) -> None:
    tree[path] = inode
    if not path:
        return
    parent, _, name = path.rpartition(b"/")
    if parent not in tree:
        _put(tree, parent, _directory())
    children = tree[parent].children
    assert isinstance(children, dict)
    children[name] = inode


def _directory() -> Inode:
    return Inode(Kind.DIR, mode=0o755, children={})


def _inode(entry: Entry, device: int) -> Inode:
    return Inode(
        entry.kind,
        mode=entry.mode,
        uid=entry.uid,
        gid=entry.gid,
        mtime=entry.mtime,
        mtime_nsec=entry.mtime_nsec,
        xattrs=entry.xattrs,
        children={} if entry.kind is Kind.DIR else Inode(Kind.REG).children,
        size=entry.size,
        device=device,
        data_offset=entry.data_offset,
        extents=entry.sparse,
        target=entry.linkname,
        devmajor=entry.devmajor,
        devminor=entry.devminor,
    )
