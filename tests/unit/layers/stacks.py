"""Stacks of layers in a few words, and the tree they make."""

from __future__ import annotations

from collections.abc import Sequence

from nacre.layers.entry import Kind
from nacre.layers.toc import Toc
from nacre.layers.union import Tree, union
from nacre.testing.members import (
    Member,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    special,
    symlink,
    table,
    tar_of,
)

__all__ = [
    "Member",
    "Stack",
    "file",
    "folder",
    "gone",
    "hardlink",
    "opaque",
    "special",
    "symlink",
    "table",
    "tar_of",
]


class Stack:
    """Layers on top of each other, base first."""

    def __init__(self, *layers: Sequence[Member]) -> None:
        self.tars = [tar_of(layer) for layer in layers]
        self.tocs: list[Toc] = [table(tar) for tar in self.tars]
        self.tree: Tree = union(self.tocs)

    def paths(self) -> list[str]:
        """Return all paths but the root, directories with a final slash."""
        return [
            path.decode() + ("/" if node.children is not None else "")
            for path, node in self.tree.walk()
            if path
        ]

    def read(self, path: str) -> bytes:
        """Return a file's content from the tar that the tree says holds it."""
        node = self.tree.resolve(path.encode())
        assert node.kind is Kind.REG
        assert node.size == node.stored_size
        return self.tars[node.layer][node.data_offset : node.data_offset + node.size]

    def exists(self, path: str) -> bool:
        """Say whether there is something at a path, be it a link to nothing."""
        listed = {found for found, _ in self.tree.walk()}
        return path.encode() in listed

    def is_same(self, one: str, other: str) -> bool:
        """Say whether two paths lead to one and the same file."""
        return self.tree.resolve(one.encode()) is self.tree.resolve(other.encode())
