"""Where each inode of a tree goes: decided here, before a byte is written.

The root comes first, for its number must be small; then each directory's children side by side,
so that listing a directory with its attributes reads few blocks. Behind all inodes come the
blocks of what is too long to stand right behind its inode: large directories, long links.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nacre.erofs.chunks import MAX_CHUNK, Extents, chunk_count, stored_size
from nacre.erofs.directories import Listing, list_names
from nacre.erofs.errors import InvalidTree, shown
from nacre.erofs.inode import Device, Inode
from nacre.erofs.structures import (
    BLOCK,
    CHUNK_INDEX_SIZE,
    DIR,
    INODE_SIZE,
    NID_SIZE,
    REG,
    SYMLINK,
    file_mode,
    inodes_offset,
)
from nacre.erofs.xattrs import encode_xattrs

MAX_TARGET = 4095


class Layout(NamedTuple):
    """The inodes of a tree in the order of their places; lists and keys go by that order."""

    inodes: list[Inode]
    nids: list[int]
    modes: list[int]
    """As stat(2) has them, kind of file included."""
    links: list[int]
    """How many names each has; a directory's are its own, ``.`` and each ``..`` to it."""
    listings: dict[int, Listing]
    members: dict[int, list[int]]
    """For each directory, which inode each name of its listing is."""
    first_blocks: dict[int, int]
    """For those with blocks elsewhere, which of all those blocks is the first."""
    blocks_offset: int
    """Where those blocks begin, in bytes."""
    blocks: int
    """How many there are."""


def lay_out(root: Inode, devices: Sequence[Device]) -> Layout:
    """Decide where each inode of a tree goes.

    Raises:
        InvalidTree: the tree holds what the format cannot say.
    """
    planner = _Planner(root, devices)
    parents = [(0, 0)]
    while parents:
        number, parent = parents.pop()
        directories = planner.place_children(number, parent)
        parents += [(child, number) for child in reversed(directories)]
    return planner.layout()


def tail_size(size: int) -> int:
    """Return how much of data of this length, which is not empty, its last block holds."""
    return (size - 1) % BLOCK + 1


def fits_inline(room: int, size: int) -> bool:
    """Say whether the last part of data goes right behind an inode that takes ``room`` bytes.

    It must lie in the same block as the inode and its attributes.
    """
    return room + tail_size(size) <= BLOCK


def aligned(size: int, unit: int) -> int:
    """Return the next multiple of ``unit``."""
    return size + -size % unit


class _Planner:
    def __init__(self, root: Inode, devices: Sequence[Device]) -> None:
        self._sizes = [device.size for device in devices]
        self._inodes: list[Inode] = []
        self._nids: list[int] = []
        self._modes: list[int] = []
        self._links: list[int] = []
        self._listings: dict[int, Listing] = {}
        self._members: dict[int, list[int]] = {}
        self._first_blocks: dict[int, int] = {}
        self._blocks = 0
        self._position = inodes_offset(len(devices))
        self._numbers: dict[int, int] = {}
        if root.kind is not DIR:
            raise InvalidTree("the root of the tree is no directory", path=b"")
        self._place(root)

    def layout(self) -> Layout:
        return Layout(
            self._inodes,
            self._nids,
            self._modes,
            self._links,
            self._listings,
            self._members,
            self._first_blocks,
            aligned(self._position, BLOCK),
            self._blocks,
        )

    def place_children(self, number: int, parent: int) -> list[int]:
        """Place what a directory holds; return which of that are directories."""
        children, numbers, links = self._inodes[number].children, self._numbers, self._links
        members: list[int] = []
        directories: list[int] = []
        for name in self._listings[number].names:
            if name == b".":
                members.append(number)
                continue
            if name == b"..":
                members.append(parent)
                continue
            child = children[name]
            known = numbers.get(id(child))
            if known is None:
                known = self._place(child)
                if child.kind is DIR:
                    directories.append(known)
            elif child.kind is DIR:
                problem = ValueError("it is a directory of several names")
                raise invalid(self._inodes[0], child, problem)
            else:
                links[known] += 1
            members.append(known)
        self._members[number] = members
        links[number] += len(directories)
        return directories

    def _place(self, inode: Inode) -> int:
        number = len(self._inodes)
        self._numbers[id(inode)] = number
        self._inodes.append(inode)
        kind, mode, _, _, _, nanoseconds, xattrs, _, size, device, offset, extents, *_ = inode
        try:
            self._modes.append(file_mode(kind, mode))
            if nanoseconds:
                _check_nanoseconds(nanoseconds)
            room = INODE_SIZE
            if xattrs:
                room += len(encode_xattrs(xattrs))
            if kind is not REG:
                room = self._room(number, inode, room)
            elif size:
                chunks = self._chunks(size, device, offset, extents)
                room += -room % CHUNK_INDEX_SIZE + CHUNK_INDEX_SIZE * chunks
        except ValueError as problem:
            raise invalid(self._inodes[0], inode, problem) from problem
        position = self._position
        self._nids.append(position // NID_SIZE)
        self._links.append(2 if kind is DIR else 1)
        self._position = position + room + -room % NID_SIZE
        return number

    def _room(self, number: int, inode: Inode, room: int) -> int:
        """Return how many bytes go to an inode's place; may move on to a place that has them."""
        kind = inode.kind
        if kind is DIR:
            listing = self._listings[number] = list_names(inode.children)
            return self._with_data(number, room, listing.size)
        if kind is SYMLINK:
            return self._with_data(number, room, _target_size(inode.target))
        return room

    def _chunks(self, size: int, device: int, offset: int, extents: Extents) -> int:
        stored, count = size, 1
        if extents is not None or size > MAX_CHUNK or offset % BLOCK:
            stored, count = stored_size(size, extents), chunk_count(size, offset, extents)
        if not count:
            raise ValueError("its data does not lie in whole blocks")
        if not 0 <= device < len(self._sizes):
            raise ValueError(f"it has its data on device {device}, which is not there")
        if offset + stored > self._sizes[device]:
            raise ValueError("its data goes beyond the end of its device")
        return count

    def _with_data(self, number: int, room: int, size: int) -> int:
        tail = tail_size(size) if fits_inline(room, size) else 0
        if blocks := -(-(size - tail) // BLOCK):
            self._first_blocks[number] = self._blocks
            self._blocks += blocks
        if tail and self._position % BLOCK + room + tail > BLOCK:
            self._position = aligned(self._position, BLOCK)
        return room + tail


def _check_nanoseconds(nanoseconds: int) -> None:
    if nanoseconds >= 1_000_000_000:
        raise ValueError("its time has a second of nanoseconds")


def _target_size(target: bytes) -> int:
    if not 0 < len(target) <= MAX_TARGET or b"\0" in target:
        raise ValueError("its target is no path")
    return len(target)


def invalid(root: Inode, inode: Inode, problem: ValueError) -> InvalidTree:
    """Return the error that an inode of a tree cannot be stored; looks its name up."""
    path = next((path for path, found in _walk(root) if found is inode), b"")
    return InvalidTree(f"{shown(b'/' + path)} cannot be stored: {problem}", path=path)


def _walk(root: Inode) -> Iterator[tuple[bytes, Inode]]:
    seen: set[int] = set()
    pending = [(b"", root)]
    while pending:
        path, inode = pending.pop()
        yield path, inode
        if id(inode) not in seen:
            seen.add(id(inode))
            start = path + b"/" if path else b""
            pending += [(start + name, child) for name, child in inode.children.items()]
