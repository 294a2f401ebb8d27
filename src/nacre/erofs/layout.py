"""Where each inode of a tree goes: decided here, before a byte is written.

Behind all inodes come the blocks of what is too long to stand right behind its inode: large
directories, long links.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nacre.erofs.chunks import MAX_CHUNK, Extents, chunk_count, stored_size
from nacre.erofs.inode import Device, Inode
from nacre.erofs.order import Order, in_order, invalid
from nacre.erofs.structures import (
    BLOCK,
    CHUNK_INDEX_SIZE,
    DIR,
    INODE_SIZE,
    NID_SIZE,
    REG,
    REGULAR,
    SYMLINK,
    WHOLE_FILE_SIZE,
    file_mode,
    inodes_offset,
)
from nacre.erofs.xattrs import encode_xattrs

MAX_TARGET = 4095
_MAX_NANOSECONDS = 1_000_000_000


class Layout(NamedTuple):
    """The inodes of a tree and the places that they have; all lists go by their order."""

    order: Order
    nids: list[int]
    modes: list[int]
    """As stat(2) has them, kind of file included."""
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
    planner = _Planner(in_order(root), devices)
    planner.place_all()
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
    def __init__(self, order: Order, devices: Sequence[Device]) -> None:
        self._order = order
        self._sizes = [device.size for device in devices]
        self._nids: list[int] = []
        self._modes: list[int] = []
        self._first_blocks: dict[int, int] = {}
        self._blocks = 0
        self._position = inodes_offset(len(devices))

    def layout(self) -> Layout:
        return Layout(
            self._order,
            self._nids,
            self._modes,
            self._first_blocks,
            aligned(self._position, BLOCK),
            self._blocks,
        )

    def place_all(self) -> None:
        nids, modes, sizes = self._nids, self._modes, dict(enumerate(self._sizes))
        for number, inode in enumerate(self._order.inodes):
            kind, mode, _, _, _, nanoseconds, xattrs, _, size, device, offset, extents, _, _, _ = (
                inode
            )
            if (
                kind is REG
                and 0 < size <= MAX_CHUNK
                and extents is None
                and not xattrs
                and not offset % BLOCK
                and offset + size <= sizes.get(device, 0)
                and not mode >> 12
                and nanoseconds < _MAX_NANOSECONDS
            ):
                # Nearly every file of nearly every image, so at once.
                modes.append(REGULAR | mode)
                nids.append(self._position // NID_SIZE)
                self._position += WHOLE_FILE_SIZE
                continue
            try:
                self._place(number, inode)
            except ValueError as problem:
                raise invalid(self._order.inodes[0], inode, problem) from problem

    def _place(self, number: int, inode: Inode) -> None:
        if inode.mtime_nsec >= _MAX_NANOSECONDS:
            raise ValueError("its time has a second of nanoseconds")
        self._modes.append(file_mode(inode.kind, inode.mode))
        room = INODE_SIZE
        if inode.xattrs:
            room += len(encode_xattrs(inode.xattrs))
        if inode.kind is DIR:
            room = self._with_data(number, room, self._order.listings[number].size)
        elif inode.kind is SYMLINK:
            room = self._with_data(number, room, _target_size(inode.target))
        elif inode.kind is REG and inode.size:
            chunks = self._chunks(inode.size, inode.device, inode.data_offset, inode.extents)
            room += -room % CHUNK_INDEX_SIZE + CHUNK_INDEX_SIZE * chunks
        self._nids.append(self._position // NID_SIZE)
        self._position = aligned(self._position + room, NID_SIZE)

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


def _target_size(target: bytes) -> int:
    if not 0 < len(target) <= MAX_TARGET or b"\0" in target:
        raise ValueError("its target is no path")
    return len(target)
