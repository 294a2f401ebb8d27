"""Folding the tables of a chain of layers into one tree.

The meaning of a chain is that of docker's and containerd's apply, only that it makes no difference
where among its members a layer has its whiteouts. Layers take effect from the base up, the members
of a layer in the order of its tar:

- **Names** are cleaned first; none leads out of the root. The root can only be a directory.
- **Parents**: every part of a name but the last has to be a directory. A symbolic link there is
  followed, inside the root. What does not exist, or is something else, becomes an *implied*
  directory: 0755, root's, of 1970. One that exists keeps its attributes.
- **Directory over directory**: the attributes are replaced, extended ones too, what is in it
  stays. **Anything else over anything** replaces it, with all that was in it. So of a path that a
  layer has twice the last counts.
- **Hard links** give one more name to what the target is by then, in this layer or below; the
  link's own attributes count for nothing. The target's parents are resolved as above; if itself
  is a symbolic link, then that is what gets the name. There has to be a target, no directory.
- **Whiteouts** remove, and **opaque markers** hide, what lower layers put there, never what
  their own layer did, wherever in the layer they stand: of a directory that the layer lists or
  puts something in, what was below it goes, and the directory stays. If the layer does not list
  it, a whiteout turns it into an implied one; an opaque marker leaves its attributes.
  Their parents too are implied where the whole layer has nothing else; but in something that is
  no directory, and behind links that run in circles, they are void. Order does count where it
  decides what a symbolic link on the way leads to, or whether a hard link's target is there.
- **Symbolic links** have the mode 0777, whatever the layer says: Linux gives them no other.
- **AUFS's metadata** is passed over, but hard links into its store of links find their files.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from nacre.layers.entry import Kind
from nacre.layers.toc import Toc
from nacre.layers.union.application import Application
from nacre.layers.union.node import IMPLIED, Node
from nacre.layers.union.resolve import MAX_DEPTH, MAX_STEPS, Resolver
from nacre.layers.union.tree import Tree
from nacre.value import replace

_SYMLINK = Kind.SYMLINK.value[0]
_LINK_MODE = 0o777


def union(layers: Iterable[Toc], *, max_steps: int = MAX_STEPS, max_depth: int = MAX_DEPTH) -> Tree:
    """Return the tree of a chain of layers, base first; how is told at the top of this file.

    Args:
        layers: their tables of contents. A layer may occur more than once.
        max_steps: most parts of paths to look at in all, see ``Resolver``.
        max_depth: how deep directories may lie.

    Raises:
        BadLayer: a hard link leads nowhere, a member replaces the root, or links run in circles.
        LayerLimit: one of the limits is exceeded.
    """
    fold = Fold(max_steps=max_steps, max_depth=max_depth)
    for toc in layers:
        fold.apply(toc)
    return fold.tree()


class Fold:
    """A tree that layers are applied to, one after the other."""

    def __init__(self, *, max_steps: int = MAX_STEPS, max_depth: int = MAX_DEPTH) -> None:
        self.root = Node(IMPLIED, 0, 0, {})
        self.resolver = Resolver(self.root, max_steps=max_steps, max_depth=max_depth)
        self._layers: list[Toc] = []
        self._linked: set[Node] = set()

    def apply(self, toc: Toc) -> None:
        """Apply the next layer.

        Raises:
            BadLayer, LayerLimit: as ``union``; the fold is of no more use.
        """
        toc = _with_link_modes(toc)
        number = len(self._layers)
        self._layers.append(toc)
        self._linked |= Application(self.root, self.resolver, toc, number).run()

    def tree(self) -> Tree:
        """Return the tree; the fold must not be used any more."""
        tree = Tree(self.root, tuple(self._layers))
        if self._linked:
            self._count_names()
        return tree

    def _count_names(self) -> None:
        for node in self._linked:
            node.names = 0
        waiting = [self.root]
        while waiting:
            for node in (waiting.pop().children or {}).values():
                if node.children is not None:
                    waiting.append(node)
                elif node in self._linked:
                    node.names += 1


def _with_link_modes(toc: Toc) -> Toc:
    links = [row for row in toc.links if toc.kinds[row] == _SYMLINK]
    odd = [row for row in links if toc.modes[row] != _LINK_MODE]
    if not odd:
        return toc
    modes = array(toc.modes.typecode, toc.modes)
    for row in odd:
        modes[row] = _LINK_MODE
    return replace(toc, modes=modes)
