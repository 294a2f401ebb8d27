"""A tree of data in the form of what is seen on disk, to be compared with it."""

from __future__ import annotations

import hashlib

from nacre.layers.entry import Kind
from nacre.layers.union import Node
from tests.integration.layer_apply import Listing, Seen
from tests.unit.layers.stacks import Stack

_LETTERS = {
    Kind.REG: "-",
    Kind.SYMLINK: "l",
    Kind.CHR: "c",
    Kind.BLK: "b",
    Kind.DIR: "d",
    Kind.FIFO: "p",
}


def listed(stack: Stack) -> Listing:
    """Return what a stack's tree has, in the form of what is seen on disk."""
    names: dict[Node, set[bytes]] = {}
    for path, node in stack.tree.walk():
        names.setdefault(node, set()).add(path)
    assert all(len(found) == node.names for node, found in names.items())
    return {path: _seen(stack, node, names[node]) for path, node in stack.tree.walk()}


def _seen(stack: Stack, node: Node, names: set[bytes]) -> Seen:
    body = stack.tars[node.layer][node.data_offset : node.data_offset + node.stored_size]
    return Seen(
        kind=_LETTERS[node.kind],
        mode=node.mode,
        uid=node.uid,
        gid=node.gid,
        mtime=node.mtime,
        size=node.size,
        content=hashlib.sha256(body).hexdigest() if node.kind is Kind.REG else "",
        target=node.linkname,
        device=node.device,
        xattrs=tuple((name.decode(), value) for name, value in node.xattrs),
        same=frozenset(names),
    )
