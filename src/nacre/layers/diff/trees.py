"""The changes between two trees.

A path is the same in both if kind, mode, owner, device number and extended attributes are, and,
of everything but directories, size and time. Times are the same if equal, or if the seconds are
and one side has no nanoseconds, as after a way through a tar; then the content decides.
"""

from __future__ import annotations

import stat
from collections import defaultdict
from collections.abc import Iterable

from nacre.layers.diff.changes import Change, ChangeKind, check_name, in_order
from nacre.layers.diff.reading import Status, TreeReader
from nacre.layers.paths import ROOT, joined
from nacre.layers.rootpath import Root

_SECOND = 10**9
Inode = tuple[int, int]


def tree_changes(old: Root | None, new: Root) -> list[Change]:
    """Return what makes the old tree into the new one, in the order of a layer.

    The root itself is among the changes only if there is no old tree: what happens to it is never
    told, as in docker, containerd and buildah. Sockets count as nothing. If one name of a
    hard-linked file changed, all its names did, for a layer cannot link to what is only in another
    one without breaking the set.

    Args:
        old: the tree before; None for an empty one.
        new: the tree now.

    Raises:
        Unstorable: a layer cannot hold one of the names.
        Conflict: someone changes a tree meanwhile.
        Unreadable: one of them cannot be read.
    """
    with TreeReader(new) as reader:
        if old is None:
            return in_order(_Comparison(None, reader).run())
        with TreeReader(old) as before:
            return in_order(_Comparison(before, reader).run())


class _Comparison:
    """The comparison of two trees."""

    def __init__(self, old: TreeReader | None, new: TreeReader) -> None:
        self._old = old
        self._new = new
        self._found: dict[bytes, ChangeKind] = {}
        # Files of several names: which file it is, by path, in either tree.
        self._old_links: dict[bytes, Inode] = {}
        self._new_links: dict[bytes, Inode] = {}

    def run(self) -> dict[bytes, ChangeKind]:
        """Return what happened to each path."""
        if self._old is None:
            self._compare(ROOT, None, self._new.status(ROOT))
        waiting = [(ROOT, self._old is not None)]
        while waiting:
            path, is_in_old = waiting.pop()
            waiting += self._compare_directory(path, is_in_old=is_in_old)
        self._complete_links()
        return self._found

    def _compare_directory(self, path: bytes, *, is_in_old: bool) -> list[tuple[bytes, bool]]:
        before = _listed(self._old, path) if self._old and is_in_old else {}
        now = _listed(self._new, path)
        for name in before.keys() - now.keys():
            self._found[joined(path, name)] = ChangeKind.DELETED
        directories = []
        for name, status in now.items():
            below = joined(path, name)
            check_name(below, name)
            was = before.get(name)
            self._compare(below, was, status)
            if status.is_directory:
                directories.append((below, was is not None and was.is_directory))
        return directories

    def _compare(self, path: bytes, old: Status | None, new: Status) -> None:
        if old is None:
            self._found[path] = ChangeKind.ADDED
        elif not self._is_same(path, old, new):
            self._found[path] = ChangeKind.CHANGED
        for status, links in ((old, self._old_links), (new, self._new_links)):
            if status is not None and status.found.st_nlink > 1 and not status.is_directory:
                links[path] = status.found.st_dev, status.found.st_ino

    def _is_same(self, path: bytes, old: Status, new: Status) -> bool:
        if _fixed(old) != _fixed(new):
            return False
        if new.is_directory:
            return True
        before, now = old.found.st_mtime_ns, new.found.st_mtime_ns
        if before == now:
            return True
        if before // _SECOND != now // _SECOND or (before % _SECOND and now % _SECOND):
            return False
        if not stat.S_ISREG(new.mode) or self._old is None:
            return True
        return self._new.same_content(path, self._old)

    # Hard links

    def _complete_links(self) -> None:
        for names in _sets(self._new_links, self._new_links):
            # Names that were of several files are one now, or one of them changed.
            was = {self._old_links.get(name, name) for name in names}
            if len(was) > 1 or any(name in self._found for name in names):
                self._change(names)
        remaining = (name for name in self._old_links if name not in self._found)
        for names in _sets(remaining, self._old_links):
            # Names that were of one file are of several now.
            if len({self._new_links.get(name, name) for name in names}) > 1:
                self._change(names)

    def _change(self, names: Iterable[bytes]) -> None:
        for name in names:
            self._found.setdefault(name, ChangeKind.CHANGED)


def _fixed(status: Status) -> tuple[object, ...]:
    found = status.found
    is_device = stat.S_ISCHR(status.mode) or stat.S_ISBLK(status.mode)
    return (
        *(status.mode, found.st_uid, found.st_gid, status.xattrs, status.linkname),
        found.st_rdev if is_device else 0,
        0 if status.is_directory else found.st_size,
    )


def _sets(paths: Iterable[bytes], links: dict[bytes, Inode]) -> list[list[bytes]]:
    sets = defaultdict(list)
    for path in paths:
        sets[links[path]].append(path)
    return list(sets.values())


def _listed(tree: TreeReader, path: bytes) -> dict[bytes, Status]:
    statuses = {name: tree.status(joined(path, name)) for name in tree.names(path)}
    return {name: one for name, one in statuses.items() if one.kind is not None}
