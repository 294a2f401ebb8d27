"""What the writer is given: a tree whose nodes become inodes one by one, when their turn comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from nacre.erofs.inode import Inode

N = TypeVar("N")


class Source(Protocol[N]):
    """A tree to be written, of nodes of any type.

    A node is one file, told from others by its identity; the same node under several names is a
    file with several hard links. The writer asks for the inode of a node when it gets there and
    keeps its bytes only: a large image has a million of them.
    """

    @property
    def root(self) -> N:
        """The root directory."""

    def usual_file(self, node: N, number: int, /) -> bytes | None:
        """Return the inode with this number of what is a usual file, see ``encode_usual_file``.

        Nearly all of nearly every image are, so it pays to say so quickly. A node of several
        names is none; for whatever is none, or may be one, None is right.
        """

    def inode(self, node: N, /) -> Inode:
        """Return what a node is; always the same."""

    def children(self, directory: N, /) -> Mapping[bytes, N]:
        """Return what a directory holds, by name; neither ``.`` nor ``..``."""


class InodeTree:
    """A small tree, told in full: inodes that hold their children themselves."""

    def __init__(self, root: Inode) -> None:
        self.root = root

    def usual_file(self, _node: Inode, _number: int, /) -> None:
        """Leave it to ``inode``."""

    def inode(self, node: Inode, /) -> Inode:
        """Return the node itself."""
        return node

    def children(self, directory: Inode, /) -> Mapping[bytes, Inode]:
        """Return its children."""
        return directory.children
