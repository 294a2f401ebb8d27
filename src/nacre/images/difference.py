"""What differs between the trees of two images.

Two things are the same when all that lstat(2) shows of them is, and the extended attributes that
a mounted tree shows, and the content of files; but the sizes and times of directories and the
numbers of links do not count. Content has to be read only where files that look the same come from
different places; then each layer passes once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from nacre.images.contents import PIECE, Contents, in_order, is_file
from nacre.images.export import check_size
from nacre.images.tree import ImageTree, kind_of, shown_path
from nacre.layers.paths import ROOT, joined
from nacre.layers.union.history import Change
from nacre.layers.union.node import Node
from nacre.layers.xattrs import kept_xattrs


class Difference(NamedTuple):
    """One path that is not the same in both trees."""

    path: str
    """From the root, with a slash in front."""
    change: str
    """``A`` added, ``C`` changed or ``D`` deleted, as ``docker diff`` has them. Of a directory that
    was deleted, what was in it is not listed again."""
    kind: str
    """What it is, or was; see ``FileInfo.kind``."""
    size_before: int
    """Bytes of the file; of a deleted directory, of all files in it together."""
    size_after: int
    """Bytes of the file."""


class _Pair(NamedTuple):
    """What the two trees have at a path."""

    path: bytes
    before: Node | None
    after: Node | None


def difference(before: ImageTree, after: ImageTree) -> list[Difference]:
    """Return what differs, by path, a directory before what is in it.

    Raises:
        NotFound: a layer is not here.
        Invalid: layers are damaged or make no tree.
    """
    pairs = list(_pairs(before.tree.root, after.tree.root))
    doubtful = [pair for pair in pairs if _are_alike(pair)]
    contents = _digests(before, (pair.before for pair in doubtful))
    contents |= _digests(after, (pair.after for pair in doubtful))
    same = {pair.path for pair in doubtful if contents[pair.before] == contents[pair.after]}
    return [_difference(before, pair) for pair in pairs if pair.path not in same]


def _pairs(before: Node, after: Node) -> Iterator[_Pair]:
    """Go through all paths where the trees are not the same for sure."""
    waiting = [_Pair(ROOT, before, after)]
    while waiting:
        path, old, new = pair = waiting.pop()
        if old is None or new is None or not _are_same(old, new):
            yield pair
        if new is None:
            continue
        old_children = (old.children or {}) if old else {}
        new_children = new.children or {}
        waiting += [
            _Pair(joined(path, name), old_children.get(name), new_children.get(name))
            for name in sorted(old_children.keys() | new_children.keys(), reverse=True)
            if new.children is not None
        ]


def _are_same(old: Node, new: Node) -> bool:
    if old.toc.layer == new.toc.layer and old.row == new.row:
        return True
    return _look_same(old, new) and not (is_file(old) and old.size)


def _look_same(old: Node, new: Node) -> bool:
    if _attributes(old) != _attributes(new):
        return False
    # Who keeps whole seconds only has not changed a file by that.
    nanoseconds = {old.mtime_nsec, new.mtime_nsec} - {0}
    return old.children is not None or (old.mtime == new.mtime and len(nanoseconds) < 2)


def _attributes(node: Node) -> tuple[object, ...]:
    what = id(node.kind), node.mode, node.uid, node.gid, kept_xattrs(node.kind, node.xattrs)
    return (*what, node.size, node.linkname, node.device)


def _are_alike(pair: _Pair) -> bool:
    """Say whether only their content can tell two files apart."""
    return bool(pair.before and pair.after and _look_same(pair.before, pair.after))


def _digests(tree: ImageTree, nodes: Iterable[Node | None]) -> dict[Node | None, bytes]:
    files = {node for node in nodes if node is not None}
    check_size(files)
    digests: dict[Node | None, bytes] = {}
    with Contents(tree.layers) as contents:
        for node in in_order(files):
            hasher = sha256(usedforsecurity=False)
            stream = contents.open(node)
            while piece := stream.read(PIECE):
                hasher.update(piece)
            digests[node] = hasher.digest()
    return digests


def _difference(before: ImageTree, pair: _Pair) -> Difference:
    path, old, new = shown_path(pair.path), pair.before, pair.after
    if old and new:
        return Difference(path, Change.CHANGED.value, kind_of(new.kind), old.size, new.size)
    if new:
        return Difference(path, Change.ADDED.value, kind_of(new.kind), 0, new.size)
    gone = {node for _, node in before.tree.walk(old)}
    kind = kind_of(old.kind) if old else ""
    return Difference(path, Change.REMOVED.value, kind, sum(node.size for node in gone), 0)
