"""Trees as people see them: what a stack of layers should be, and what is on disk."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nacre.layers.entry import Kind
from nacre.layers.ownership import RECORD, Ownership, decode_owner
from nacre.layers.union import Node, Tree
from nacre.testing.memory_layers import MemoryLayers

_LETTERS = {
    Kind.REG: "-",
    Kind.SYMLINK: "l",
    Kind.CHR: "c",
    Kind.BLK: "b",
    Kind.DIR: "d",
    Kind.FIFO: "p",
}


class Seen(NamedTuple):
    """All that a tree says of one path."""

    kind: str
    """The letter that ``ls -l`` shows."""
    mode: int
    owner: tuple[int, int]
    mtime_ns: int
    content: bytes
    """Of a file."""
    target: bytes
    """Of a symbolic link."""
    device: tuple[int, int]
    xattrs: tuple[tuple[bytes, bytes], ...]
    names: frozenset[bytes]
    """All paths of the same file; of a directory its own."""


Listing = dict[bytes, Seen]


def expected(tree: Tree, layers: MemoryLayers, ownership: Ownership) -> Listing:
    """Return how a tree of layers should look on disk."""
    names = _grouped(dict(tree.walk()))
    return {
        path: Seen(
            kind=_LETTERS[node.kind],
            mode=node.mode,
            owner=_expected_owner(node, ownership),
            mtime_ns=node.mtime * 10**9 + node.mtime_nsec,
            content=_content(tree, node, layers),
            target=node.linkname,
            device=node.device,
            xattrs=node.xattrs,
            names=names[path],
        )
        for path, node in tree.walk()
    }


def found(root: Path, ownership: Ownership) -> Listing:
    """Return how the tree in a folder looks."""
    statuses = dict(_walk(os.fsencode(root)))
    base = len(os.fsencode(root)) + 1
    inodes = {path: (one.st_dev, one.st_ino) for path, one in statuses.items()}
    # A directory has one name, whatever number a file system gives it.
    names = _grouped(
        {
            path: path if stat.S_ISDIR(statuses[path].st_mode) else inode
            for path, inode in inodes.items()
        }
    )
    return {
        path[base:]: _seen(path, one, ownership, frozenset(name[base:] for name in names[path]))
        for path, one in statuses.items()
    }


def _seen(
    path: bytes, status: os.stat_result, ownership: Ownership, names: frozenset[bytes]
) -> Seen:
    kind = stat.filemode(status.st_mode)[0]
    xattrs = {
        os.fsencode(name): os.getxattr(path, name, follow_symlinks=False)
        for name in os.listxattr(path, follow_symlinks=False)
    }
    owner = status.st_uid, status.st_gid
    if ownership.record:
        recorded = xattrs.pop(RECORD, None)
        owner = decode_owner(recorded) if recorded else (0, 0)
    return Seen(
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        owner=owner,
        mtime_ns=status.st_mtime_ns,
        content=Path(os.fsdecode(path)).read_bytes() if kind == "-" else b"",
        target=os.readlink(path) if kind == "l" else b"",  # noqa: PTH115 - a Path drops slashes
        device=(os.major(status.st_rdev), os.minor(status.st_rdev)),
        xattrs=tuple(sorted(xattrs.items())),
        names=names,
    )


def _walk(root: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    waiting = [root]
    while waiting:
        path = waiting.pop()
        status = os.lstat(path)
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(path) as entries:
                waiting += [entry.path for entry in entries]


def _expected_owner(node: Node, ownership: Ownership) -> tuple[int, int]:
    if ownership.record:
        return (node.uid, node.gid) if node.kind in (Kind.REG, Kind.DIR) else (0, 0)
    return ownership.on_disk(node.uid, node.gid)


def _content(tree: Tree, node: Node, layers: MemoryLayers) -> bytes:
    if node.kind is not Kind.REG:
        return b""
    tar = layers.bytes_of(tree.layers[node.layer].layer)
    stored = tar[node.data_offset : node.data_offset + node.stored_size]
    if node.sparse is None:
        return stored
    content = bytearray(node.size)
    for extent in node.sparse:
        content[extent.offset : extent.offset + extent.length] = stored[: extent.length]
        stored = stored[extent.length :]
    return bytes(content)


def _grouped(keys: Mapping[bytes, Hashable]) -> dict[bytes, frozenset[bytes]]:
    groups: dict[Hashable, set[bytes]] = defaultdict(set)
    for path, key in keys.items():
        groups[key].add(path)
    return {path: frozenset(groups[key]) for path, key in keys.items()}
