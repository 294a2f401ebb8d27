"""Layers as folders that overlayfs stacks: which ones need nothing but themselves, and the others.

A *regular* layer says all about what is in it, so one folder made from it alone serves under every
chain. What an irregular one comes to depends on those below: directories that it implies keep
their attributes, links lead it elsewhere, files get further names. Its folder is made for one
chain, and holds the difference between the tree without it and the tree with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from nacre.layers.entry import Kind
from nacre.layers.paths import ROOT, clean, joined, split
from nacre.layers.toc import Toc
from nacre.layers.union import Node, Tree, union
from nacre.layers.whiteout import Role

_DIR = Kind.DIR.value[0]
_LINK = Kind.LINK.value[0]

EMPTY = union(())
"""The tree of no layers."""


def is_regular(toc: Toc) -> bool:
    """Say whether a layer's folder can be made without those below, and stacked on any of them.

    In a regular layer every member lies, and every whiteout stands, in the root or in a directory
    that the layer listed before; hard links lead to what it listed before; no path occurs twice.
    It need not list the root: whoever stacks folders gives the root its attributes. But the root
    must not be opaque, because overlayfs passes over that.
    """
    listed: dict[bytes, int] = {ROOT: _DIR}
    for row, (path, kind, role) in enumerate(zip(toc.paths, toc.kinds, toc.roles, strict=True)):
        if role == Role.METADATA or not path:
            continue
        directory = split(path)[0]
        if listed.get(directory) != _DIR or path in listed:
            return False
        if role == Role.OPAQUE and directory == ROOT:
            return False
        if role != Role.ENTRY:
            continue
        if kind == _LINK and listed.get(clean(toc.links[row]), _DIR) == _DIR:
            return False
        listed[path] = kind
    return True


class Make(NamedTuple):
    """Something to be made, with all attributes of a node."""

    path: bytes
    node: Node


class Link(NamedTuple):
    """One more name for what was made under ``target``."""

    path: bytes
    target: bytes


@dataclass(frozen=True, slots=True)
class Delta:
    """What makes one tree of another when it is stacked over it.

    Whoever makes a folder of it does so in the order of the fields, each from first to last.
    """

    directories: tuple[Make, ...]
    """The root, then each directory before what is in it."""
    others: tuple[Make, ...]
    """Everything else, in the order of its bytes in the layers: by layer, then by place."""
    links: tuple[Link, ...]
    removed: tuple[bytes, ...]
    """Paths that are no more."""
    hidden: tuple[bytes, ...]
    """Directories of which nothing below shows: made opaque."""


def delta(below: Tree, above: Tree) -> Delta:
    """Return what makes the tree ``above`` when it is stacked over ``below``.

    Args:
        below: the tree of the lower layers; ``EMPTY`` for none.
        above: the tree of these layers and further ones.
    """
    return _Comparison(below, above).run()


class _Comparison:
    """The comparison of two trees."""

    def __init__(self, below: Tree, above: Tree) -> None:
        self._below = below
        self._above = above
        self._made: dict[bytes, Node] = {ROOT: above.root}
        self._removed: list[bytes] = []
        self._hidden: list[bytes] = []

    def run(self) -> Delta:
        """Return the difference."""
        waiting = [(ROOT, self._below.root, self._above.root)]
        while waiting:
            waiting += self._compare(*waiting.pop())
        self._complete_links()
        self._complete_parents()
        return self._delta()

    def _compare(self, path: bytes, old: Node, new: Node) -> Iterator[tuple[bytes, Node, Node]]:
        before, now = old.children or {}, new.children or {}
        if _attributes(old) != _attributes(new):
            self._made[path] = new
        gone = [name for name in before if name not in now]
        if gone and path and len(gone) == len(before):
            self._made[path] = new
            self._hidden.append(path)
        else:
            self._removed += [joined(path, name) for name in gone]
        for name, node in now.items():
            below, was = joined(path, name), before.get(name)
            if node.children is None:
                if was is None or was.children is not None or _identity(was) != _identity(node):
                    self._made[below] = node
            elif was is not None and was.children is not None:
                yield below, was, node
            else:
                self._made.update(self._above.walk(node, below))

    def _complete_links(self) -> None:
        """Have all names of a file made if one is: a link cannot lead into another folder."""
        before: dict[tuple[int, int], set[bytes]] = defaultdict(set)
        for path, node in self._below.walk():
            if node.children is None:
                before[_identity(node)].add(path)
        for node, names in _linked(self._above).items():
            if not before[_identity(node)].issuperset(names):
                self._made.update(dict.fromkeys(names, node))

    def _complete_parents(self) -> None:
        for path in [*self._made, *self._removed, *self._hidden]:
            parent = split(path)[0]
            while parent not in self._made:
                self._made[parent] = self._above.resolve(parent)
                parent = split(parent)[0]

    def _delta(self) -> Delta:
        directories, others, links = [], [], []
        first: dict[Node, bytes] = {}
        for path, node in sorted(self._made.items(), key=lambda made: made[0]):
            if node.children is not None:
                directories.append(Make(path, node))
            elif (target := first.setdefault(node, path)) == path:
                others.append(Make(path, node))
            else:
                links.append(Link(path, target))
        others.sort(key=lambda made: (made.node.layer, made.node.data_offset))
        return Delta(
            *(tuple(directories), tuple(others), tuple(links)),
            *(tuple(sorted(self._removed)), tuple(sorted(self._hidden))),
        )


def _identity(node: Node) -> tuple[int, int]:
    return node.layer, node.row


def _attributes(node: Node) -> tuple[int, int, bool]:
    return node.attributes_layer, node.row, node.implied


def _linked(tree: Tree) -> dict[Node, list[bytes]]:
    names: dict[Node, list[bytes]] = defaultdict(list)
    for path, node in tree.walk():
        if node.names > 1:
            names[node].append(path)
    return names
