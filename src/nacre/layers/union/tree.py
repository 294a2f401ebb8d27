"""The tree that a chain of layers makes."""

from __future__ import annotations

from collections.abc import Iterator

from nacre.layers.errors import NoSuchPath, shown
from nacre.layers.paths import ROOT, joined
from nacre.layers.toc import Toc
from nacre.layers.union.node import Node
from nacre.layers.union.resolve import Resolver


class Tree:
    """What a container would see, as data. It is made by ``union`` and not changed afterwards."""

    def __init__(self, root: Node, layers: tuple[Toc, ...]) -> None:
        self.root = root
        self.layers = layers
        """The tables of the layers, base first; ``Node.layer`` is a place in it."""

    def resolve(self, path: bytes, *, follow: bool = True) -> Node:
        """Return what is at a path, as seen from the root; ``/`` in front makes no difference.

        Symbolic links are followed, one at the very end only with ``follow``; neither they nor
        ``..`` lead out of the tree.

        Raises:
            NoSuchPath: there is nothing, or something on the way is no directory.
            TooManyLinks: symbolic links run in circles.
        """

        def missing(parent: Node, name: bytes) -> Node:
            is_there = parent.children is not None and name in parent.children
            problem = (
                f"{shown(name)} in it is no directory" if is_there else "there is no such path"
            )
            raise NoSuchPath(f"cannot find {shown(path)}: {problem}", path=path)

        return Resolver(self.root).trail(path, missing, follow=follow)[-1]

    def walk(self, top: Node | None = None, path: bytes = ROOT) -> Iterator[tuple[bytes, Node]]:
        """Return every clean path and its node: a directory before what is in it, names sorted.

        Args:
            top: where to begin, by default at the root.
            path: what to call that.
        """
        waiting = [(path, top or self.root)]
        while waiting:
            path, node = waiting.pop()
            yield path, node
            if node.children:
                below = sorted(node.children.items(), reverse=True)
                waiting += [(joined(path, name), child) for name, child in below]
