"""Copying files out of an image to a place on disk, as ``docker cp`` does from a container.

Members are made by name in open directories and links in the destination are never followed, so
nothing that an image holds leads elsewhere. What it could harm the machine with, set-ID bits,
capabilities, devices and owners, comes along only with ``archive``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from nacre.errors import Conflict, Denied, NotFound
from nacre.images.contents import PIECE, Contents, in_order, is_file
from nacre.images.export import check_size
from nacre.layers.apply.attributes import Attributes, Loss, Losses
from nacre.layers.apply.body import Body
from nacre.layers.apply.errors import unpack_error
from nacre.layers.apply.tree import TreeWriter
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import shown
from nacre.layers.ownership import KEEP
from nacre.layers.paths import split
from nacre.layers.removal import remove
from nacre.layers.rootpath import Root
from nacre.layers.union.node import Node
from nacre.layers.union.tree import Tree
from nacre.storage.layers import Layers

_MAX_DEPTH = 2048
_HARMLESS_BITS = 0o1777
_DEVICES = (Kind.CHR, Kind.BLK)


class TakenOut(NamedTuple):
    """What was copied."""

    members: int
    """Number of files, directories and all else."""
    size: int
    """Bytes of the files."""
    losses: tuple[Loss, ...]
    """What could not come along."""


class Destination(NamedTuple):
    """Where something goes."""

    folder: Path
    """A folder that exists."""
    name: bytes
    """What it is to be called there; empty when the folder takes in what is in a directory."""


def destination(path: str, name: bytes, *, is_directory: bool) -> Destination:
    """Return where something goes, by the rules of ``docker cp``.

    Args:
        path: what the user named.
        name: what the thing is called; empty when what is in a directory is meant.
        is_directory: whether it is a directory.

    Raises:
        Conflict: a directory is to replace something else.
        NotFound: the folder to put it in does not exist.
    """
    if os.path.isdir(path):  # noqa: PTH112 - Path would drop the final slash
        return Destination(Path(path), name)
    place = Path(path)
    if path and is_directory and os.path.lexists(place):
        raise Conflict(f"cannot copy a directory to {path}: it is none")
    needed = place if path.endswith("/") and not is_directory else place.parent
    if not path or not needed.is_dir():
        raise NotFound(f"there is no folder {needed if path else repr(path)}", remedy="make it")
    return Destination(place.parent, os.fsencode(place.name))


def take_out(
    tree: Tree, node: Node, layers: Layers, place: Destination, *, archive: bool = False
) -> TakenOut:
    """Copy a node, and all that is in it, to a place.

    A directory is merged with one that is there, whose attributes stay; everything else replaces
    what is there, but no directory. What is not merged appears whole or not at all.

    Args:
        tree: the tree that it is in.
        node: what to copy.
        layers: where its layers are.
        place: see ``destination``.
        archive: keep owners, set-ID bits, all extended attributes and devices.

    Raises:
        Conflict: a directory would replace something else, or the other way round.
        Denied, Unavailable: it cannot be written.
        BadMember: the file system cannot hold it.
        LayerLimit: the files have more than a terabyte, holes included.
        NotFound: a layer is not here.
    """
    folder = place.folder
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Denied(f"no permission to write to {folder}")
    with Root.open(folder) as root, _staged(root, place.name, node) as top:
        return _Taker(tree, layers, root, archive=archive, name=place.name).take(node, top)


@contextmanager
def _staged(root: Root, name: bytes, node: Node) -> Iterator[bytes]:
    """Give the name to write to: another one, unless it is to be merged with what is there."""
    if not name or _is_merged(root, name, node):
        yield name
        return
    new = b".nacre-" + os.urandom(8).hex().encode()
    try:
        yield new
        with suppress(FileNotFoundError):  # a device that was left out
            os.rename(new, name, src_dir_fd=root.fd, dst_dir_fd=root.fd)
    except OSError as problem:
        raise unpack_error(name, problem) from problem
    finally:
        with suppress(FileNotFoundError):
            remove(root.fd, new)


def _is_merged(root: Root, path: bytes, node: Node) -> bool:
    """Say whether a directory is there already that a node is to be merged with.

    Raises:
        Conflict: one is a directory and the other is not.
    """
    with _told(path), root.parent(path, follow=False) as place:
        try:
            mode = os.stat(place.name, dir_fd=place.fd, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return False
    is_directory = node.children is not None
    if stat.S_ISDIR(mode) == is_directory:
        return is_directory
    words = ("something else", "a directory") if is_directory else ("a directory", "something else")
    raise Conflict("cannot replace {1} with {2}: {0}".format(shown(path), *words))


class _Taker:
    """Makes members of a tree in a folder; ``name`` is what the topmost is called in the end."""

    def __init__(
        self, tree: Tree, layers: Layers, root: Root, *, archive: bool, name: bytes
    ) -> None:
        self._tree = tree
        self._layers = layers
        self._root = root
        self._archive = archive
        self._name = name
        self._top = b""
        self._losses = Losses()
        self._attributes = Attributes(KEEP, None, self._losses)
        self._writer = TreeWriter(
            root, self._attributes, self._losses, max_depth=_MAX_DEPTH, track=False
        )
        self._names: dict[Node, list[bytes]] = {}
        self._merged = {b""}

    def take(self, top: Node, name: bytes) -> TakenOut:
        """Make a node under a name, perhaps not the one that it has in the end."""
        self._top = name
        with self._writer:
            for path, node in self._tree.walk(top, name):
                if path:
                    with _told(self._named(path)):
                        self._make(path, node)
            self._fill()
            with _told(self._name):
                self._link()
                self._writer.directories.finish()
        size = sum(node.size for node in self._names)
        count = sum(map(len, self._names.values()))
        losses = (loss._replace(example=self._named(loss.example)) for loss in self._losses)
        return TakenOut(count, size, tuple(losses))

    def _named(self, path: bytes) -> bytes:
        """Return what a member is called in the end."""
        return self._name + path[len(self._top) :]

    def _make(self, path: bytes, node: Node) -> None:
        """Make anything but a file, whose content may have to wait for others."""
        if node.kind in _DEVICES and not self._archive:
            self._losses.add("device", path)
            return
        # Where the folder is new there can be nothing.
        if split(path)[0] in self._merged and _is_merged(self._root, path, node):
            self._merged.add(path)
            return
        names = self._names.setdefault(node, [])
        names.append(path)
        if len(names) > 1 or is_file(node):
            return
        entry = self._entry(node)
        if node.children is not None:
            self._writer.make_directory(path, entry)
        elif node.kind is Kind.SYMLINK:
            self._writer.make_symlink(path, entry)
        else:
            self._writer.make_special(path, entry)

    def _fill(self) -> None:
        check_size(self._names)
        with Contents(self._layers) as contents:
            for node in in_order(filter(is_file, self._names)):
                path = self._names[node][0]
                with _told(self._named(path)):
                    self._write(path, node, contents)

    def _write(self, path: bytes, node: Node, contents: Contents) -> None:
        entry = self._entry(node)
        stream = contents.stored(node)
        body = Body(self._writer.make_file(path), entry, path)
        try:
            while piece := stream.read(PIECE):
                body.write(memoryview(piece), 0)
            self._attributes.set_file(body.fd, entry, path)
        finally:
            body.close()

    def _link(self) -> None:
        for first, *others in self._names.values():
            for path in others:
                self._writer.make_link(path, first)

    def _entry(self, node: Node) -> Entry:
        entry = node.entry
        if self._archive:
            return entry
        return entry._replace(
            uid=os.geteuid(),
            gid=os.getegid(),
            mode=entry.mode & _HARMLESS_BITS,
            xattrs=tuple(pair for pair in entry.xattrs if pair[0].startswith(b"user.")),
        )


@contextmanager
def _told(path: bytes) -> Iterator[None]:
    """Turn an OSError into one that names the member."""
    try:
        yield
    except OSError as problem:
        raise unpack_error(path, problem) from problem
