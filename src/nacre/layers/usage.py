"""How well a chain of layers uses its bytes: what is there twice, or there and not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from nacre.layers.entry import Kind
from nacre.layers.paths import split
from nacre.layers.toc import Toc
from nacre.layers.union import Node, NoSuchPath, Tree
from nacre.layers.union.fold import Fold
from nacre.layers.whiteout import Role, stored_link, target

_REG = Kind.REG.value[0]


class LayerUsage(NamedTuple):
    """What one layer adds to a chain. Sizes are of files' contents, in bytes, holes included."""

    files: int
    """Number of its regular files."""
    size: int
    """Their sizes together."""
    wasted: int
    """How much of that no name in the finished tree leads to."""


class Repeated(NamedTuple):
    """A path that more than one layer has."""

    path: bytes
    times: int
    """In how many layers it is, whiteouts of it included."""
    size: int
    """Its sizes in all of them together, in bytes."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """How much of a chain is there for the first time, as dive computes it."""

    score: float
    """1.0 when no path occurs twice; else the part that would be left if each path were kept
    once, in its smallest form."""
    wasted: int
    """Size in bytes of all repeated paths, each time they occur."""
    repeated: tuple[Repeated, ...]
    """Those paths, largest first."""


def layer_usage(tree: Tree) -> list[LayerUsage]:
    """Return what each layer adds to a tree, base first."""
    seen = Counter[int]()
    for node in {node for _, node in tree.walk() if node.children is None}:
        seen[node.layer] += node.size
    usages = []
    for number, toc in enumerate(tree.layers):
        sizes = list(_file_sizes(toc))
        size = sum(sizes)
        usages.append(LayerUsage(len(sizes), size, size - seen[number]))
    return usages


def _file_sizes(toc: Toc) -> Iterator[int]:
    """Go through the files of a layer: what says that something is gone is none of them."""
    for path, kind, role, size in zip(toc.paths, toc.kinds, toc.roles, toc.sizes, strict=True):
        # A file in AUFS's store of links has its names in the tree.
        if kind == _REG and (role == Role.ENTRY or stored_link(path)):
            yield size


def efficiency(layers: Iterable[Toc]) -> Efficiency:
    """Return how efficient a chain is, base first.

    As in dive, what counts are files and what else holds nothing in its layer. A whiteout of a
    directory has the size of what it removes, one of a file has none; opaque markers are not
    counted.

    Raises:
        BadLayer: as ``union``.
    """
    fold = Fold()
    sizes: dict[bytes, list[int]] = {}
    for toc in layers:
        for path, size in _leaves(toc, Tree(fold.root, ())):
            sizes.setdefault(path, []).append(size)
        fold.apply(toc)
    repeated = [
        Repeated(path, len(found), sum(found)) for path, found in sizes.items() if len(found) > 1
    ]
    repeated.sort(key=lambda one: (-one.size, one.path))
    total = sum(map(sum, sizes.values()))
    score = sum(map(min, sizes.values())) / total if total else 1.0
    return Efficiency(score, sum(one.size for one in repeated), tuple(repeated))


def _leaves(toc: Toc, below: Tree) -> Iterator[tuple[bytes, int]]:
    entries: dict[bytes, int] = {}
    removed: dict[bytes, int] = {}
    for path, role, size in zip(toc.paths, toc.roles, toc.sizes, strict=True):
        if role == Role.ENTRY:
            entries[path] = size
        elif role == Role.WHITEOUT:
            removed[path] = _removed_size(below, target(path))
    directories = _directories((*entries, *removed))
    yield from ((path, size) for path, size in entries.items() if path not in directories)
    yield from ((target(path), size) for path, size in removed.items())


def _directories(paths: Iterable[bytes]) -> set[bytes]:
    directories: set[bytes] = set()
    for path in paths:
        while path and (path := split(path)[0]) not in directories:
            directories.add(path)
    return directories


def _removed_size(below: Tree, path: bytes) -> int:
    try:
        node = below.resolve(path, follow=False)
    except NoSuchPath:
        return 0
    if node.children is None:
        return 0
    nodes: set[Node] = {found for _, found in below.walk(node)}
    return sum(found.size for found in nodes)
