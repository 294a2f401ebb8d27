"""The companion of an index: the files of a chain that cannot be used where they lie."""

from __future__ import annotations

from typing import BinaryIO

from nacre.layers.entry import Extent
from nacre.storage.erofs.tree import Plan, WrittenOut
from nacre.storage.layers import Layers

_PIECE = 1 << 20


def write_companion(out: BinaryIO, plan: Plan, layers: Layers) -> None:
    """Write the files one after the other; what are holes in them are holes here too.

    Args:
        out: an empty file that can seek.
        plan: says which files, and where.
        layers: where their data is.

    Raises:
        OSError: the disk is full or failed.
    """
    for file in plan.written_out:
        _write_file(out, file, layers)
    out.truncate(plan.companion_size)


def _write_file(out: BinaryIO, file: WrittenOut, layers: Layers) -> None:
    node = file.node
    extents = node.sparse if node.sparse is not None else (Extent(0, node.size),)
    with layers.slice(node.toc.layer, node.data_offset, node.stored_size) as data:
        for offset, length in extents:
            out.seek(file.offset + offset)
            left = length
            while left and (piece := data.read(min(left, _PIECE))):
                out.write(piece)
                left -= len(piece)
