"""Directories: blocks of entries, each block with its names behind them.

Entries are sorted by name, byte by byte, ``.`` and ``..`` among them, and neither an entry nor its
name crosses the end of a block. Where the first name begins says how many entries a block has.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from struct import Struct
from typing import NamedTuple

from nacre.erofs.structures import BLOCK

MAX_NAME = 255
_ENTRY = Struct("<QHBx")
_ENTRY_SIZE = _ENTRY.size


class Listing(NamedTuple):
    """The names of a directory, cut into blocks."""

    names: list[bytes]
    """Sorted, with ``.`` and ``..``."""
    starts: list[int]
    """Index in ``names`` of the first name of each block."""
    size: int
    """Length in bytes: whole blocks, and what the last one uses."""


def list_names(children: Collection[bytes]) -> Listing:
    """Return the listing of a directory with these children.

    Raises:
        ValueError: one of them is no file name.
    """
    together = _checked(children)
    names = sorted([*children, b".", b".."])
    size = _ENTRY_SIZE * len(names) + together + len(b"." + b"..")
    if size <= BLOCK:
        return Listing(names, [0], size)
    starts, used = [0], 0
    for index, name in enumerate(names):
        used += _ENTRY_SIZE + len(name)
        if used > BLOCK:
            starts.append(index)
            used = _ENTRY_SIZE + len(name)
    return Listing(names, starts, (len(starts) - 1) * BLOCK + used)


def _checked(children: Collection[bytes]) -> int:
    """Return how long names are together; see ``list_names``."""
    separators = max(len(children) - 1, 0)
    together = b"\0".join(children)
    if b"/" in together or together.count(b"\0") > separators:
        raise ValueError("a name in it has a slash or a zero byte")
    if len(together) > MAX_NAME and max(map(len, children)) > MAX_NAME:
        raise ValueError(f"a name in it has more than {MAX_NAME} bytes")
    if b"" in children or b"." in children or b".." in children:
        raise ValueError("a name in it is empty, '.' or '..'")
    return len(together) - separators


def encode_directory(listing: Listing, nids: Sequence[int], types: Sequence[int]) -> bytes:
    """Return the data of a directory: its blocks, the last one without padding.

    ``nids`` and ``types`` belong to the names of the listing, one by one.
    """
    names, starts = listing.names, listing.starts
    if len(starts) == 1:
        return _block(names, nids, types)
    blocks = []
    for start, end in zip(starts, [*starts[1:], len(names)], strict=True):
        block = _block(names[start:end], nids[start:end], types[start:end])
        blocks.append(block.ljust(BLOCK, b"\0"))
    return b"".join(blocks)[: listing.size]


def _block(names: Sequence[bytes], nids: Sequence[int], types: Sequence[int]) -> bytes:
    offsets = accumulate(map(len, names), initial=_ENTRY_SIZE * len(names))
    fields = chain.from_iterable(zip(nids, offsets, types, strict=False))
    return b"".join([_entries(len(names)).pack(*fields), *names])


@lru_cache(maxsize=64)  # no block has more than 39
def _entries(count: int) -> Struct:
    return Struct("<" + _ENTRY.format[1:] * count)


class DirEntry(NamedTuple):
    """A name in a directory, the inode it stands for, and the type it says that one is of."""

    name: bytes
    nid: int
    file_type: int


def decode_block(block: bytes) -> list[DirEntry]:
    """Return the entries of one block.

    Raises:
        ValueError: the block is malformed.
    """
    if len(block) < _ENTRY_SIZE:
        raise ValueError("a directory block is too short")
    first = _ENTRY.unpack_from(block)[1]
    if first % _ENTRY_SIZE or not _ENTRY_SIZE <= first <= len(block):
        raise ValueError("a directory block is malformed")
    fields = list(_ENTRY.iter_unpack(block[:first]))
    ends = [offset for _, offset, _ in fields[1:]] + [len(block.rstrip(b"\0"))]
    entries = []
    for (nid, offset, file_type), end in zip(fields, ends, strict=True):
        name = block[offset:end]
        if not first <= offset < end or len(name) > MAX_NAME or b"/" in name or b"\0" in name:
            raise ValueError("a directory block has a malformed name")
        entries.append(DirEntry(name, nid, file_type))
    return entries
