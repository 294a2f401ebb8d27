"""Applying one layer to the tree of those below it; what that means is told in ``fold``."""

from __future__ import annotations

from contextlib import suppress

from nacre.errors import Invalid
from nacre.layers.entry import Kind
from nacre.layers.errors import TooManyLinks, shown
from nacre.layers.paths import clean, split
from nacre.layers.toc import Toc
from nacre.layers.union.node import IMPLIED, Node
from nacre.layers.union.resolve import Missing, Resolver
from nacre.layers.whiteout import Role, stored_link, target

_DIR = Kind.DIR.value[0]
_REG = Kind.REG.value[0]
_LINK = Kind.LINK.value[0]
_NO_NAMES = frozenset((b"", b".", b".."))


class BadLayer(Invalid):
    """A layer cannot be applied to those below it.

    ``layer`` is its number in the chain, the base being 0; ``path`` that of the member at fault.
    """

    def __init__(self, message: str, *, layer: int, path: bytes) -> None:
        super().__init__(message)
        self.layer = layer
        self.path = path


class _Blocked(Exception):
    """There is something else where a directory has to be."""


class Application:
    """One layer on its way into a tree."""

    def __init__(self, root: Node, resolver: Resolver, toc: Toc, number: int) -> None:
        self._root = root
        self._resolver = resolver
        self._toc = toc
        self._number = number
        self._row = 0
        # Directories by the clean paths that lead there by now: most members have siblings.
        self._found: dict[bytes, Node] = {}
        self._depths: dict[bytes, int] = {}
        # Directories that something of this layer lies in.
        self._needed = {root}
        # Hard links of this layer: a name may be its own though the node is a lower layer's.
        self._own_links: set[tuple[Node, bytes]] = set()
        self._linked: set[Node] = set()
        self._stored: dict[bytes, Node] = {}
        # Directories with whiteouts or opaque markers, each once.
        self._marked: dict[bytes, None] = {}

    def run(self) -> set[Node]:
        """Apply every member; return the nodes that got further names.

        Raises:
            BadLayer: a member cannot be applied.
        """
        toc, number, found = self._toc, self._number, self._found
        for row, (path, kind, role) in enumerate(zip(toc.paths, toc.kinds, toc.roles, strict=True)):
            self._row = row
            if role:
                self._apply_marker(path, role)
                continue
            directory, _, name = path.rpartition(b"/")
            parent = found.get(directory) or self._parent(directory)
            children = parent.children
            if name in _NO_NAMES or children is None:
                self._apply_root(path, kind)
                continue
            old = children.get(name)
            if old is not None:
                if kind == _DIR and old.children is not None:
                    _take_attributes(old, toc, row, number)
                    continue
                self._forget(old)
                del children[name]
            if kind == _LINK:
                children[name] = self._linked_node(parent, name)
            else:
                children[name] = Node(toc, row, number, {} if kind == _DIR else None)
        self._make_marked()
        return self._linked

    def _apply_root(self, path: bytes, kind: int) -> None:
        if path or kind != _DIR:
            raise self._bad("replaces the root with something that is no directory")
        _take_attributes(self._root, self._toc, self._row, self._number)

    # Parents

    def _parent(self, directory: bytes) -> Node:
        above, _, name = directory.rpartition(b"/")
        node = self._child(above, name)
        if node is not None and node.children is not None:
            depth = self._depths[above] + 1
            self._resolver.check_depth(directory, depth)
            self._needed.add(node)
        else:
            trail = self._trail(directory, self._make_directory)
            depth, node = len(trail), trail[-1]
            self._needed.update(trail)
        self._found[directory] = node
        self._depths[directory] = depth
        return node

    def _child(self, directory: bytes, name: bytes) -> Node | None:
        parent = self._found.get(directory)
        return parent.children.get(name) if parent and parent.children else None

    def _make_directory(self, parent: Node, name: bytes) -> Node:
        if parent.children is None:
            raise _Blocked
        if (old := parent.children.get(name)) is not None:
            self._forget(old)
        made = parent.children[name] = Node(IMPLIED, 0, self._number, {})
        return made

    def _make_if_free(self, parent: Node, name: bytes) -> Node:
        if parent.children is None or name in parent.children:
            raise _Blocked
        return self._make_directory(parent, name)

    # Hard links

    def _linked_node(self, parent: Node, name: bytes) -> Node:
        linkname = clean(self._toc.links[self._row])
        node = self._stored.get(stored_link(linkname)) or self._lookup(linkname)
        if node is None:
            raise self._bad(f"is a hard link to {shown(linkname)}, which does not exist")
        if node.children is not None:
            raise self._bad(f"is a hard link to {shown(linkname)}, which is a directory")
        self._own_links.add((parent, name))
        self._linked.add(node)
        return node

    def _lookup(self, path: bytes) -> Node | None:
        directory, name = split(path)
        parent = self._found.get(directory)
        if parent is None:
            try:
                parent = self._trail(directory, _not_there)[-1]
            except _Blocked:
                return None
        return (parent.children or {}).get(name) if name else parent

    # Whiteouts

    def _apply_marker(self, path: bytes, role: int) -> None:
        if role == Role.METADATA:
            if (stored := stored_link(path)) and self._toc.kinds[self._row] == _REG:
                self._stored[stored] = Node(self._toc, self._row, self._number, None)
            return
        directory, _ = split(path)
        self._marked[directory] = None
        try:
            trail = self._resolver.trail(_as_directory(directory), _not_there)
        except (_Blocked, TooManyLinks):
            return
        if role == Role.OPAQUE:
            self._hide_lower(trail[-1])
        elif kept := self._remove_lower(trail[-1], split(target(path))[1]):
            self._hide_lower(kept)

    def _make_marked(self) -> None:
        # Only once all members are there it is known what has to be made.
        for directory in self._marked:
            with suppress(_Blocked, TooManyLinks):
                self._resolver.trail(_as_directory(directory), self._make_if_free)

    def _hide_lower(self, directory: Node) -> None:
        waiting = [directory]
        while waiting:
            parent = waiting.pop()
            kept = [self._remove_lower(parent, name) for name in list(parent.children or ())]
            waiting += filter(None, kept)

    def _remove_lower(self, parent: Node, name: bytes) -> Node | None:
        """Remove what lower layers have under a name; return a directory that has to stay."""
        children = parent.children or {}
        node = children.get(name)
        if node is None:
            return None
        own = node.attributes_layer == self._number or (parent, name) in self._own_links
        if node.children is not None and (own or node in self._needed):
            node.layer = self._number
            if not own:
                _take_attributes(node, IMPLIED, 0, self._number)
            return node
        if not own:
            self._forget(node)
            del children[name]
        return None

    # What all of them need

    def _trail(self, directory: bytes, missing: Missing) -> list[Node]:
        try:
            return self._resolver.trail(_as_directory(directory), missing)
        except TooManyLinks as problem:
            raise self._bad("lies behind symbolic links that run in circles") from problem

    def _forget(self, node: Node) -> None:
        # Paths may have led through it.
        if node.children is not None or node.kind is Kind.SYMLINK:
            self._found.clear()
            self._depths.clear()

    def _bad(self, problem: str) -> BadLayer:
        path = self._toc.paths[self._row]
        return BadLayer(
            f"layer {self._number} cannot be applied: {shown(path)} {problem}",
            layer=self._number,
            path=path,
        )


def _take_attributes(node: Node, toc: Toc, row: int, number: int) -> None:
    node.toc, node.row, node.attributes_layer = toc, row, number


def _as_directory(path: bytes) -> bytes:
    # With a final slash what is there has to be a directory.
    return path + b"/"


def _not_there(_parent: Node, _name: bytes) -> Node:
    raise _Blocked
