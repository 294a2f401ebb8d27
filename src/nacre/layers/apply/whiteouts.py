"""What a layer's whiteouts do to the tree, in the two forms that a tree can have.

A plain tree holds the lower layers, and they are removed from it. A folder that holds nothing but
this layer says what to remove, to overlayfs: converted, not applied. Either way whiteouts concern
lower layers only, never what their own layer lists, wherever in the layer they stand.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Protocol

from nacre.layers.access import by_descriptor, names_in, open_directory
from nacre.layers.apply.tree import TreeWriter
from nacre.layers.errors import NoSuchPath
from nacre.layers.paths import joined, split
from nacre.layers.rootpath import Directory
from nacre.layers.whiteout import Overlay


class Whiteouts(Protocol):
    """Carries out the whiteouts of a layer."""

    def remove(self, directory: bytes, name: bytes) -> None:
        """Remove what lower layers have under a name in the directory with a clean path."""

    def hide(self, directory: bytes) -> None:
        """Remove all that lower layers have in the directory with a clean path."""

    def finish(self) -> None:
        """Do what can only be done when all members are there."""


class NoWhiteouts:
    """For a tree without lower layers: there is nothing to remove."""

    def remove(self, directory: bytes, name: bytes) -> None:
        """Do nothing."""

    def hide(self, directory: bytes) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


class RemovingWhiteouts:
    """Removes what lower layers have from a tree that holds them.

    Args:
        tree: keeps what is this layer's own.
    """

    def __init__(self, tree: TreeWriter) -> None:
        self._tree = tree
        self._own = set() if tree.own is None else tree.own

    def remove(self, directory: bytes, name: bytes) -> None:
        """Remove a name, or, of a directory that this layer needs, all but what it lists."""
        if place := self._tree.find_directory(directory):
            self._remove_all([(place.path, name)])

    def hide(self, directory: bytes) -> None:
        """Remove all in a directory but what this layer lists."""
        if place := self._tree.find_directory(directory):
            self._remove_all([(place.path, name) for name in names_in(place.fd)])

    def finish(self) -> None:
        """Do nothing: all is done."""

    def _remove_all(self, waiting: list[tuple[bytes, bytes]]) -> None:
        while waiting:
            above, name = waiting.pop()
            with (
                suppress(NoSuchPath, FileNotFoundError, NotADirectoryError),
                self._tree.root.directory(above, follow=False) as place,
            ):
                path = joined(above, name)
                if not self._stays(place, path, name):
                    self._tree.remove(place, name)
                    continue
                waiting += [(path, one) for one in names_in(place.fd, name)]
                if path not in self._own:
                    self._tree.directories.change(path)

    def _stays(self, place: Directory, path: bytes, name: bytes) -> bool:
        if path in self._own:
            return True
        found = os.stat(name, dir_fd=place.fd, follow_symlinks=False)
        return path in self._tree.needed and stat.S_ISDIR(found.st_mode)


class OverlayWhiteouts:
    """Leaves whiteouts for overlayfs: devices 0:0, and the attribute of opaque directories.

    They are made at the end. What the layer lists under the same name stays, and a directory
    among it becomes opaque; and there must be none below an opaque directory, for overlayfs
    would show them as files.

    Args:
        tree: keeps which directories took the place of something.
        form: where overlayfs keeps its attributes.
    """

    def __init__(self, tree: TreeWriter, form: Overlay) -> None:
        self._tree = tree
        self._form = form
        self._markers: dict[tuple[bytes, bytes], None] = {}
        self._removed: set[bytes] = set()

    def remove(self, directory: bytes, name: bytes) -> None:
        """Note a whiteout."""
        self._markers[directory, name] = None

    def hide(self, directory: bytes) -> None:
        """Note an opaque directory."""
        self._markers[directory, b""] = None

    def finish(self) -> None:
        """Make all whiteouts and opaque directories, outer ones first."""
        opaque = set(self._tree.replacements)
        for directory, name in self._markers:
            if found := self._tree.find_directory(directory):
                if name:
                    self._removed.add(joined(found.path, name))
                else:
                    opaque.add(found.path)
        for path in sorted(opaque | self._removed):
            if not _is_below(path, opaque):
                with suppress(NoSuchPath), self._tree.root.parent(path, follow=False) as place:
                    if self._finish_one(place.fd, place.name, path):
                        opaque.add(path)

    def _finish_one(self, parent: int, name: bytes, path: bytes) -> bool:
        # Whether there is a directory, which is opaque now.
        try:
            fd = open_directory(parent, name)
        except NotADirectoryError:
            return False
        except FileNotFoundError:
            if path in self._removed:
                os.mknod(name, stat.S_IFCHR, 0, dir_fd=parent)
                os.setxattr(by_descriptor(parent), *self._form.origin)
            return False
        try:
            os.setxattr(fd, *self._form.opaque)
        finally:
            os.close(fd)
        return True


def _is_below(path: bytes, directories: set[bytes]) -> bool:
    while path:
        path = split(path)[0]
        if path in directories:
            return True
    return False
