"""From a tree to the inodes of an image: each is asked for once, placed, and only its bytes kept.

The root comes first, for its number must be small; then each directory's children side by side,
so that listing a directory with its attributes reads few blocks. What a directory says of its
children, and where the blocks behind all inodes begin, is known once everything has its place;
what depends on that is encoded last.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import repeat
from operator import sub
from typing import Any, Generic, NamedTuple

from nacre.erofs.directories import Listing, encode_directory, list_names
from nacre.erofs.encode import Data, check_target, data_of, encode_inode, head_size
from nacre.erofs.errors import InvalidTree, shown
from nacre.erofs.inode import Device, Inode
from nacre.erofs.layout import Layout, Place, aligned
from nacre.erofs.source import N, Source
from nacre.erofs.structures import (
    BLOCK,
    DIR,
    INLINE,
    NID_SIZE,
    PLAIN,
    REGULAR,
    SYMLINK,
    file_mode,
    file_type,
    inodes_offset,
    with_links,
)

_DIR_TYPE, _REG_TYPE = file_type(file_mode(DIR, 0)), file_type(REGULAR)


class Assembled(NamedTuple):
    """The inodes of a tree, and the blocks behind them."""

    root: int
    """The nid of the root."""
    inodes: int
    """How many there are."""
    size: int
    """Length of the image in bytes, with what is in front of the inodes: whole blocks."""
    pieces: list[bytes]
    """What follows the device table, to be joined."""


def assemble(source: Source[N], devices: Sequence[Device]) -> Assembled:
    """Return the inodes of a tree, for an image with these devices.

    Raises:
        InvalidTree: the tree holds what the format cannot say.
    """
    return _Assembly(source, devices).run()


class _Directory(Generic[N]):
    """A directory on its way: complete when all that it holds has a place."""

    def __init__(self, node: N, path: bytes, listing: Listing) -> None:
        self.node = node
        self.path = path
        self.listing = listing
        self.own_nid = self.parent_nid = 0
        self.links = 2
        self.nids: list[int] = []
        self.types: list[int] = []

    def below(self, name: bytes) -> bytes:
        """Return the path of what it has under a name."""
        return self.path + b"/" + name if self.path else name

    def data(self) -> bytes:
        """Return its entries."""
        return encode_directory(self.listing, self.nids, self.types)


class _Unfinished(NamedTuple):
    """An inode whose bytes depend on where others are: a directory or a symbolic link."""

    number: int
    inode: Inode
    path: bytes
    place: Place
    directory: _Directory[Any] | None


class _Assembly(Generic[N]):
    """Inodes are numbered from one on, for people; in lists they go by the number before."""

    def __init__(self, source: Source[N], devices: Sequence[Device]) -> None:
        self._source = source
        self._sizes = [device.size for device in devices]
        self._start = inodes_offset(len(devices))
        self._layout = Layout(self._start)
        self._pieces: list[bytes] = []
        self._known: dict[int, int] = {}  # which inodes nodes are, by their identity
        self._links: dict[int, int] = {}  # of what has several names
        self._unfinished: list[_Unfinished] = []

    def run(self) -> Assembled:
        root = self._root()
        waiting = [root]
        while waiting:
            waiting += reversed(self._fill(waiting.pop()))
        end = aligned(self._layout.position, BLOCK)
        blocks = [self._finish(each, end // BLOCK) for each in self._unfinished]
        for index, links in self._links.items():
            self._pieces[index] = with_links(self._pieces[index], links)
        return Assembled(
            root.own_nid,
            len(self._pieces),
            end + self._layout.blocks * BLOCK,
            [bytes(root.own_nid * NID_SIZE - self._start), *self._filled_up(end), *blocks],
        )

    def _root(self) -> _Directory[N]:
        found: list[_Directory[N]] = []
        if self._place(self._source.root, b"", found) != _DIR_TYPE:
            raise InvalidTree("the root of the tree is no directory", path=b"")
        (root,) = found
        root.parent_nid = root.own_nid
        return root

    def _fill(self, directory: _Directory[N]) -> list[_Directory[N]]:
        """Place what a directory holds; return the directories among it."""
        usual_file, children = self._source.usual_file, self._source.children(directory.node)
        pieces, place, nids = self._pieces, self._layout.place, self._layout.nids
        add_nid, add_type = directory.nids.append, directory.types.append
        below: list[_Directory[N]] = []
        for name in directory.listing.names:  # all names of an image: what is done here takes time
            node = children.get(name)
            if node is None:
                add_nid(directory.own_nid if name == b"." else directory.parent_nid)
                add_type(_DIR_TYPE)
            elif data := usual_file(node, len(pieces) + 1):
                add_nid(place(len(data)))
                add_type(_REG_TYPE)
                pieces.append(data)
            else:
                add_type(self._place(node, directory.below(name), below))
                add_nid(nids[self._known[id(node)]])
        directory.links += len(below)
        for each in below:
            each.parent_nid = directory.own_nid
        return below

    def _place(self, node: N, path: bytes, directories: list[_Directory[N]]) -> int:
        """Place a node, whatever it is; return its type in entries, and add it if a directory."""
        inode = self._source.inode(node)
        index = self._known.setdefault(id(node), len(self._pieces))
        try:
            if index < len(self._pieces):
                self._link(index, inode)
            elif inode.kind is DIR:
                directories.append(self._place_directory(node, inode, path))
            elif inode.kind is SYMLINK:
                check_target(inode.target)
                self._place_unfinished(inode, path, len(inode.target), None)
            else:
                data = encode_inode(inode, index + 1, 1, data_of(inode, self._sizes))
                self._layout.place(len(data))
                self._pieces.append(data)
        except (ValueError, struct.error) as problem:
            raise _refusal(path, problem) from problem
        return _DIR_TYPE if inode.kind is DIR else file_type(file_mode(inode.kind, 0))

    def _link(self, index: int, inode: Inode) -> None:
        if inode.kind is DIR:
            raise ValueError("it is a directory of several names")
        self._links[index] = self._links.get(index, 1) + 1

    def _place_directory(self, node: N, inode: Inode, path: bytes) -> _Directory[N]:
        directory = _Directory(node, path, list_names(self._source.children(node)))
        self._place_unfinished(inode, path, directory.listing.size, directory)
        directory.own_nid = self._layout.nids[-1]
        return directory

    def _place_unfinished(
        self, inode: Inode, path: bytes, size: int, directory: _Directory[N] | None
    ) -> None:
        place = self._layout.place_with_data(head_size(inode), size)
        self._unfinished.append(_Unfinished(len(self._pieces), inode, path, place, directory))
        self._pieces.append(b"")

    def _finish(self, unfinished: _Unfinished, first_block: int) -> bytes:
        """Encode an inode that was left; return those of its blocks that are elsewhere."""
        index, inode, path, place, directory = unfinished
        data, links = (directory.data(), directory.links) if directory else (inode.target, 1)
        elsewhere, tail = data[: len(data) - place.tail], data[len(data) - place.tail :]
        form, address = INLINE if tail else PLAIN, 0
        if elsewhere:
            address = first_block + place.first_block
        try:
            stored = Data(form, len(data), address, tail)
            self._pieces[index] = encode_inode(inode, index + 1, links, stored)
        except (ValueError, struct.error) as problem:
            raise _refusal(path, problem) from problem
        return elsewhere + bytes(-len(elsewhere) % BLOCK)

    def _filled_up(self, end: int) -> list[bytes]:
        """Return the inodes, each with zeros up to where the next one begins."""
        starts = [nid * NID_SIZE for nid in self._layout.nids]
        sizes = map(sub, [*starts[1:], end], starts)
        return list(map(bytes.ljust, self._pieces, sizes, repeat(b"\0")))


def _refusal(path: bytes, problem: ValueError | struct.error) -> InvalidTree:
    is_number = isinstance(problem, struct.error)
    reason = "one of its numbers does not fit the format" if is_number else problem
    return InvalidTree(f"{shown(b'/' + path)} cannot be stored: {reason}", path=path)
