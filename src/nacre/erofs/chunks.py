"""Chunks: which stretches of which device make up a file.

All chunks of a file are of one size, a power of two of at least a block, and each lies anywhere
on a device, at a multiple of a block, or nowhere: then it is a hole. A file without holes is one
chunk of the largest size, of which it uses a part.
"""

from __future__ import annotations

from collections.abc import Sequence

from nacre.erofs.structures import (
    BLOCK,
    BLOCK_BITS,
    CHUNK_INDEXES,
    HOLE,
    MAX_CHUNK_BITS,
    encode_chunk,
)
from nacre.layers.entry import Extent

MAX_CHUNK = 1 << MAX_CHUNK_BITS
"""Most bytes of a chunk: a terabyte."""
MAX_CHUNKS = 1 << 17
"""Most chunks of a file: their indexes take a megabyte."""

WHOLE = MAX_CHUNK_BITS - BLOCK_BITS | CHUNK_INDEXES
"""How the inode of a file of one chunk says so."""

Extents = Sequence[Extent] | None


def is_mappable(size: int, data_offset: int, extents: Extents) -> bool:
    """Say whether the data of a file can be used where it lies.

    It cannot when an extent of a sparse file begins inside a block, ends inside one before the
    end of the file, or when there are too many holes. Such a file must be written out, holes
    included, to a device of its own.
    """
    return size == 0 or chunk_count(size, data_offset, extents) > 0


def chunk_count(size: int, data_offset: int, extents: Extents) -> int:
    """Return how many chunks a file that is not empty has; 0 when it is not mappable."""
    if data_offset % BLOCK:
        return 0
    if is_whole(size, extents):
        return 1
    bits = _chunk_bits(size, extents)
    count = -(-size >> bits)
    return count if bits >= BLOCK_BITS and count <= MAX_CHUNKS else 0


def is_whole(size: int, extents: Extents) -> bool:
    """Say whether a file is one chunk for it has no holes, and no more than a terabyte."""
    return extents is None and size <= MAX_CHUNK


def stored_size(size: int, extents: Extents) -> int:
    """Return how many bytes of a file lie on its device."""
    return size if extents is None else sum([length for _, length in extents])


def chunk_format(size: int, extents: Extents) -> int:
    """Return how the inode of a mappable file says what its chunks are."""
    return _chunk_bits(size, extents) - BLOCK_BITS | CHUNK_INDEXES


def encode_chunks(size: int, device: int, data_offset: int, extents: Extents) -> bytes:
    """Return the indexes of the chunks of a mappable file; devices are counted from zero."""
    bits = _chunk_bits(size, extents)
    blocks = 1 << bits - BLOCK_BITS
    indexes = [HOLE] * -(-size >> bits)
    block = data_offset >> BLOCK_BITS
    for offset, length in (Extent(0, size),) if extents is None else extents:
        first = offset >> bits
        for number in range(-(-length >> bits)):
            indexes[first + number] = encode_chunk(device + 1, block + number * blocks)
        block += length >> BLOCK_BITS
    return b"".join(indexes)


def _chunk_bits(size: int, extents: Extents) -> int:
    if extents is None:
        return MAX_CHUNK_BITS
    # The largest power of two that divides every place where data meets a hole; 0 if the
    # extents are no map of the file.
    edges, end = MAX_CHUNK, 0
    for offset, length in extents:
        if offset < end or length <= 0 or offset + length > size:
            return 0
        end = offset + length
        edges |= offset if end == size else offset | end
    return (edges & -edges).bit_length() - 1
