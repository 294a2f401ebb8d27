"""The union of a chain as that which lies under a writable top."""

from __future__ import annotations

from collections.abc import Iterable

from nacre.layers.entry import Kind
from nacre.layers.union import Node, Tree


class UnionLower:
    """A tree as `nacre.layers.diff.Lower`: what an upper directory is compared with."""

    def __init__(self, tree: Tree) -> None:
        self._root = tree.root

    def kind(self, path: bytes) -> Kind | None:
        """Return what is at a clean path without links on the way; None for nothing."""
        node = self._find(path)
        return None if node is None else node.kind

    def names(self, path: bytes) -> Iterable[bytes]:
        """Return the names in a directory."""
        node = self._find(path)
        return () if node is None or node.children is None else node.children

    def _find(self, path: bytes) -> Node | None:
        node: Node | None = self._root
        for part in path.split(b"/") if path else ():
            if node is None or node.children is None:
                return None
            node = node.children.get(part)
        return node
