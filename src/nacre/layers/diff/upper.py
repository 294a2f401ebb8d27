"""The changes in the upper directory of an overlay: it is the change, so nothing else is walked."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from nacre.errors import Unsupported
from nacre.layers.diff.changes import Change, ChangeKind, check_name, in_order
from nacre.layers.diff.reading import Status, TreeReader
from nacre.layers.entry import Kind
from nacre.layers.errors import NoSuchPath, shown
from nacre.layers.paths import ROOT, joined
from nacre.layers.rootpath import Root
from nacre.layers.whiteout import Overlay, is_overlay_whiteout


class UnresolvedOverlay(Unsupported):
    """The content is elsewhere: the overlay has renamed directories or copied attributes only.

    ``path`` is where it was found.
    """

    usual_remedy = "mount with redirect_dir=off and metacopy=off"

    def __init__(self, path: bytes, feature: str) -> None:
        super().__init__(f"the overlay cannot be read at {shown(path)}: it uses {feature}")
        self.path = path


class Lower(Protocol):
    """What lies under the upper directory: all lower layers as one tree."""

    def kind(self, path: bytes) -> Kind | None:
        """Return what is at a clean path without links on the way; None for nothing."""

    def names(self, path: bytes) -> Iterable[bytes]:
        """Return the names in a directory."""


class LowerTree:
    """A ``Lower`` that lies on disk.

    Args:
        reader: reads it.
    """

    def __init__(self, reader: TreeReader) -> None:
        self._reader = reader

    def kind(self, path: bytes) -> Kind | None:
        """Return what is at a path."""
        try:
            return self._reader.status(path).kind
        except NoSuchPath:
            return None

    def names(self, path: bytes) -> Iterable[bytes]:
        """Return the names in a directory."""
        return self._reader.names(path)


def upper_changes(upper: Root, lower: Lower, *, overlay: Overlay = Overlay.TRUSTED) -> list[Change]:
    """Return what an upper directory changes, in the order of a layer.

    Opaque directories are resolved: what they hide is listed as deleted, one by one. A whiteout
    of nothing is left away, and so are sockets. The root is never listed, as by `tree_changes`.

    Args:
        upper: the upper directory; better not mounted.
        lower: the tree under it.
        overlay: where overlayfs keeps its attributes.

    Raises:
        UnresolvedOverlay: the upper directory does not hold all that it changes.
        Unstorable: a layer cannot hold one of the names.
        Unreadable: it cannot be read.
    """
    with TreeReader(upper, overlay=overlay) as reader:
        walk = _Walk(reader, lower, overlay)
        root = reader.status(ROOT)
        waiting = [_Directory(ROOT, in_lower=True, hides=walk.is_opaque(root))]
        while waiting:
            waiting += walk.visit(waiting.pop())
        return in_order(walk.found)


class _Directory(NamedTuple):
    """A directory of the upper tree."""

    path: bytes
    in_lower: bool
    """Whether the lower tree has a directory there."""
    hides: bool
    """Whether nothing of that one shows."""


class _Walk:
    """The walk through one upper directory."""

    def __init__(self, reader: TreeReader, lower: Lower, overlay: Overlay) -> None:
        self._reader = reader
        self._lower = lower
        self._prefix = overlay.value
        self._overlay = overlay
        self.found: dict[bytes, ChangeKind] = {}

    def is_opaque(self, status: Status) -> bool:
        """Say whether a directory hides those below."""
        return self._overlay.is_opaque(status.overlay)

    def visit(self, directory: _Directory) -> list[_Directory]:
        """Find the changes in one directory; return those in it that are still to be visited."""
        present = set()
        below = []
        for name in self._reader.names(directory.path):
            path = joined(directory.path, name)
            status = self._reader.status(path)
            self._check(path, status)
            if self._is_whiteout(status):
                if directory.in_lower and self._lower.kind(path) is not None:
                    self.found[path] = ChangeKind.DELETED
                present.add(name)
            elif status.kind is not None:
                check_name(path, name)
                present.add(name)
                below += self._add(directory, path, status)
        if directory.in_lower and directory.hides:
            for name in self._lower.names(directory.path):
                if name not in present:
                    self.found[joined(directory.path, name)] = ChangeKind.DELETED
        return below

    def _add(self, directory: _Directory, path: bytes, status: Status) -> list[_Directory]:
        lower = self._lower.kind(path) if directory.in_lower else None
        self.found[path] = ChangeKind.ADDED if lower is None else ChangeKind.CHANGED
        if not status.is_directory:
            return []
        hides = directory.hides or self.is_opaque(status)
        return [_Directory(path, in_lower=lower is Kind.DIR, hides=hides)]

    def _is_whiteout(self, status: Status) -> bool:
        found = status.found
        if stat.S_ISCHR(status.mode):
            return is_overlay_whiteout(Kind.CHR, os.major(found.st_rdev), os.minor(found.st_rdev))
        # Since Linux 6.7 a lower layer may also have them as empty files with an attribute.
        return stat.S_ISREG(status.mode) and not found.st_size and self._has(status, b"whiteout")

    def _check(self, path: bytes, status: Status) -> None:
        if not status.overlay:
            return
        for name, feature in ((b"redirect", "redirect_dir"), (b"metacopy", "metacopy")):
            if self._has(status, name):
                raise UnresolvedOverlay(path, feature)

    def _has(self, status: Status, name: bytes) -> bool:
        return any(key == self._prefix + name for key, _ in status.overlay)
