"""Where inodes go: one behind the other, at multiples of 32 bytes.

Behind all inodes come the blocks of what is too long to stand right behind its inode: large
directories, long links.
"""

from __future__ import annotations

from typing import NamedTuple

from nacre.erofs.structures import BLOCK, NID_SIZE


class Place(NamedTuple):
    """Where an inode with data goes."""

    nid: int
    tail: int
    """How much of its data, the last part, stands right behind it."""
    first_block: int
    """Which of the blocks behind all inodes is the first with the rest of its data."""


class Layout:
    """Gives inodes their places, in the order in which they come.

    Args:
        start: where in the image the first one goes, in bytes.
    """

    def __init__(self, start: int) -> None:
        self.position = start
        """Where the next inode goes, in bytes, unless it has to begin a block."""
        self.nids: list[int] = []
        """Of all inodes so far."""
        self.blocks = 0
        """How many blocks there are behind all inodes by now."""

    def place(self, room: int) -> int:
        """Return the nid of an inode that takes so many bytes."""
        nid = self.position // NID_SIZE
        self.nids.append(nid)
        self.position += room + -room % NID_SIZE
        return nid

    def place_with_data(self, room: int, size: int) -> Place:
        """Return where an inode goes that takes ``room`` bytes and has ``size`` bytes of data."""
        tail = tail_size(size) if room + tail_size(size) <= BLOCK else 0
        first, self.blocks = self.blocks, self.blocks - (tail - size) // BLOCK
        if tail and self.position % BLOCK + room + tail > BLOCK:
            # The last part must lie in the same block as the inode and its attributes.
            self.position = aligned(self.position, BLOCK)
        return Place(self.place(room + tail), tail, first)


def tail_size(size: int) -> int:
    """Return how much of data of this length, which is not empty, its last block holds."""
    return (size - 1) % BLOCK + 1


def aligned(size: int, unit: int) -> int:
    """Return the next multiple of ``unit``."""
    return size + -size % unit
