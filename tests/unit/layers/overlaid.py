"""What overlayfs shows of a stack of folders, as values: the model that tests compare with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nacre.layers.entry import Kind
from nacre.layers.paths import joined, split
from nacre.layers.stack import Delta
from nacre.layers.toc import Toc
from nacre.layers.union import Node, Tree, union
from nacre.layers.whiteout import Role, target

Identity = tuple[int, int]
"""Layer and row of what is under a path; the layer is -1 for an implied directory."""

Shown = dict[bytes, tuple[Identity, frozenset[bytes]]]
"""What is under each path, and all names that it has."""


@dataclass
class Folder:
    """One folder of a stack."""

    there: dict[bytes, tuple[Identity, int, bool]]
    """Of each path what it is, a number that its hard links share, and whether a directory."""
    gone: set[bytes] = field(default_factory=set)
    opaque: set[bytes] = field(default_factory=set)


def identity(node: Node) -> Identity:
    return (-1, 0) if node.implied else (node.attributes_layer, node.row)


def unpacked(toc: Toc, number: int) -> Folder:
    """Return the folder of a regular layer."""
    there = {
        path: ((number, node.row), id(node), node.children is not None)
        for path, node in union([toc]).walk()
    }
    folder = Folder(there)
    for path, role in zip(toc.paths, toc.roles, strict=True):
        if role == Role.OPAQUE:
            folder.opaque.add(split(path)[0])
        elif role == Role.WHITEOUT:
            hidden = target(path)
            (folder.opaque if hidden in there else folder.gone).add(hidden)
    return folder


def made(delta: Delta) -> Folder:
    """Return the folder that a delta describes; fails unless its order can be followed."""
    there: dict[bytes, tuple[Identity, int, bool]] = {}

    def add(path: bytes, what: tuple[Identity, int, bool]) -> None:
        assert path not in there
        assert not path or there[split(path)[0]][2]
        there[path] = what

    for path, node in (*delta.directories, *delta.others):
        add(path, (identity(node), id(node), node.kind is Kind.DIR))
    for path, first in delta.links:
        add(path, there[first])
    assert all(there[split(path)[0]][2] and path not in there for path in delta.removed)
    assert all(there[path][2] for path in delta.hidden)
    assert b"" not in delta.hidden
    return Folder(there, set(delta.removed), set(delta.hidden))


def overlaid(folders: Sequence[Folder]) -> Shown:
    """Return what overlayfs shows of folders, the topmost first; of the root only its names."""
    found: dict[bytes, tuple[Identity, tuple[int, int]]] = {}
    waiting = [(b"", list(enumerate(folders)))]
    while waiting:
        directory, parts = waiting.pop()
        names = {name for _, part in parts for name in _names(part, directory)}
        for name in names:
            path = joined(directory, name)
            stack = _stack(path, parts)
            if not stack:
                continue
            number, top = stack[0]
            what, inode, is_directory = top.there[path]
            found[path] = what, (number, inode)
            if is_directory:
                waiting.append((path, stack))
    return _with_names(found)


def _names(folder: Folder, directory: bytes) -> set[bytes]:
    paths = (*folder.there, *folder.gone)
    return {split(path)[1] for path in paths if path and split(path)[0] == directory}


def _stack(path: bytes, parts: Sequence[tuple[int, Folder]]) -> list[tuple[int, Folder]]:
    stack: list[tuple[int, Folder]] = []
    for number, folder in parts:
        if path in folder.there:
            is_directory = folder.there[path][2]
            if is_directory or not stack:
                stack.append((number, folder))
            if not is_directory or path in folder.opaque:
                break
        elif path in folder.gone:
            break
    return stack


def shown(tree: Tree) -> Shown:
    """Return a tree in that form."""
    return _with_names(
        {path: (identity(node), (0, id(node))) for path, node in tree.walk() if path}
    )


def _with_names(found: Mapping[bytes, tuple[Identity, tuple[int, int]]]) -> Shown:
    names = defaultdict(set)
    for path, (_, inode) in found.items():
        names[inode].add(path)
    return {path: (what, frozenset(names[inode])) for path, (what, inode) in found.items()}
