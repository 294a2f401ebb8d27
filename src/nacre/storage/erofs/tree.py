"""From the union of a chain to what the EROFS writer takes.

File data stays where it is, in the raw tars: each layer that a file of the tree comes from is one
device, however often it occurs in the chain. The few files that cannot be used where they lie
(sparse ones, off the bounds of blocks; the last one of a tar without padding) are written out to
one more device, the *companion*.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add, gt, or_
from typing import NamedTuple

from nacre.erofs.chunks import MAX_CHUNK, is_mappable
from nacre.erofs.encode import MAX_NANOSECONDS, encode_usual_file
from nacre.erofs.errors import shown
from nacre.erofs.inode import NOTHING, Device, Inode
from nacre.erofs.source import Source
from nacre.erofs.structures import BLOCK, MAX_DEVICE_BLOCKS
from nacre.layers.entry import Kind
from nacre.layers.toc import Toc
from nacre.layers.union import BadLayer, Node, Tree
from nacre.layers.union.node import IMPLIED
from nacre.layers.whiteout import Overlay
from nacre.layers.xattrs import Xattrs, kept_xattrs
from nacre.oci.digest import Digest
from nacre.storage.erofs.devices import COMPANION, tag

_ONLY_FILES = bytes(code == Kind.REG.value[0] for code in range(256))
_MOST = 0o7777, MAX_NANOSECONDS, MAX_CHUNK
_COMPANION_SIZE = MAX_DEVICE_BLOCKS * BLOCK


class WrittenOut(NamedTuple):
    """A file that has to lie in the companion."""

    node: Node
    offset: int
    """Where it begins there; its holes take their place."""


class Plan(NamedTuple):
    """What to write, and where the data is."""

    source: Source[Node]
    devices: tuple[Device, ...]
    written_out: tuple[WrittenOut, ...]
    """What lies in the companion, which is the last device then."""
    companion_size: int
    overlaid: bool
    """Whether something has attributes that overlayfs would take for its own."""


def plan(tree: Tree, *, below_overlay: bool = False) -> Plan:
    """Decide what the image of a tree holds; equal chains give equal plans.

    Args:
        tree: the union of a chain.
        below_overlay: escape attributes that overlayfs would take for its own.

    Raises:
        BadLayer: files that have to be written out are larger than a device can be.
    """
    sizes = {toc.layer: toc.size for toc in tree.layers}
    used = _layers_with_data(tree)
    # In the order of the chain, so that one chain has one order.
    layers = [layer for layer in sizes if layer in used]
    devices = [Device(tag(layer), sizes[layer]) for layer in layers]
    written_out, companion_size = _written_out(tree)
    if written_out:
        devices.append(Device(COMPANION, companion_size))
    source = _Inodes(tree, layers, written_out, below_overlay=below_overlay)
    return Plan(source, tuple(devices), written_out, companion_size, _is_overlaid(tree))


def _layers_with_data(tree: Tree) -> set[Digest]:
    """Return the layers that files of the tree come from."""
    every = {toc.layer for toc in tree.layers}
    found: set[Digest] = set()
    waiting = [tree.root]
    while waiting and len(found) < len(every):  # mostly all are, which soon shows
        for node in (waiting.pop().children or {}).values():
            if node.children is not None:
                waiting.append(node)
            elif node.toc.sizes[node.row]:
                found.add(node.toc.layer)
    return found


def _written_out(tree: Tree) -> tuple[tuple[WrittenOut, ...], int]:
    """Return the files that cannot be used where they lie, and how long they are together."""
    if not any(toc.sparse or _ends_late(toc) for toc in tree.layers):
        return (), 0
    found: dict[Node, WrittenOut] = {}
    position = 0
    for _, node in tree.walk():
        if node in found or _is_usable(node):
            continue
        if position + node.size > _COMPANION_SIZE:
            path = node.toc.paths[node.row]  # one of them
            raise BadLayer(
                f"the sparse file {shown(path)} of {node.size} bytes is too large",
                layer=node.layer,
                path=path,
            )
        found[node] = WrittenOut(node, position)
        position += node.size + -node.size % BLOCK
    return tuple(found.values()), position


def _ends_late(toc: Toc) -> bool:
    """Say whether a file may end in the last block of a tar; nearly all have padding there."""
    return max(map(add, toc.offsets, toc.sizes), default=0) + BLOCK > toc.size


def _is_usable(node: Node) -> bool:
    size, end = node.size, node.data_offset + node.stored_size
    # The kernel reads whole blocks.
    has_whole_blocks = end + -end % BLOCK <= node.toc.size
    return not size or (has_whole_blocks and is_mappable(size, node.data_offset, node.sparse))


def _is_overlaid(tree: Tree) -> bool:
    sets = {xattrs for toc in tree.layers for xattrs in toc.xattrs.values()}
    return any(map(_is_for_overlayfs, sets)) and any(
        _is_for_overlayfs(kept_xattrs(node.kind, node.xattrs)) for _, node in tree.walk()
    )


def _is_for_overlayfs(xattrs: Xattrs) -> bool:
    return any(name.startswith(Overlay.TRUSTED.value) for name, _ in xattrs)


def _usual_files(toc: Toc) -> bytearray:
    """Say of each row of a table whether it is a usual file; see ``encode_usual_file``."""
    usual = bytearray(toc.kinds.translate(_ONLY_FILES))
    most = (max(column, default=0) for column in (toc.modes, toc.nanoseconds, toc.sizes))
    if any(map(gt, most, _MOST)) or reduce(or_, toc.offsets, 0) % BLOCK:
        return bytearray(len(usual))  # no layer that is all right has such numbers
    for row in toc.sparse:
        usual[row] = False
    for row, xattrs in toc.xattrs.items():
        usual[row] &= not kept_xattrs(Kind.REG, xattrs)
    if _ends_late(toc):
        for row, end in enumerate(map(add, toc.offsets, toc.sizes)):
            usual[row] &= end + BLOCK <= toc.size
    return usual


class _Inodes:
    """The tree, each node an inode when it is asked for."""

    def __init__(
        self,
        tree: Tree,
        layers: list[Digest],
        written_out: tuple[WrittenOut, ...],
        *,
        below_overlay: bool,
    ) -> None:
        self.root = tree.root
        self._below_overlay = below_overlay
        numbers = {layer: number for number, layer in enumerate(layers)}
        # By identity, which is quicker than by digest.
        self._devices = {id(toc): numbers.get(toc.layer, 0) for toc in tree.layers}
        self._usual = {id(toc): _usual_files(toc) for toc in (IMPLIED, *tree.layers)}
        self._companion = len(layers)
        self._positions = {file.node: file.offset for file in written_out}

    def children(self, directory: Node, /) -> Mapping[bytes, Node]:
        """Return what a directory holds."""
        return directory.children or {}

    def usual_file(self, node: Node, number: int, /) -> bytes | None:
        """Return the bytes of what is a usual file."""
        toc, row = node.toc, node.row
        if not self._usual[id(toc)][row] or node.names != 1:
            return None
        # Straight from the columns: this runs for nearly every file of an image.
        return encode_usual_file(
            number,
            toc.modes[row],
            toc.uids[row],
            toc.gids[row],
            toc.mtimes[row],
            toc.nanoseconds[row],
            toc.sizes[row],
            self._devices[id(toc)],
            toc.offsets[row],
        )

    def inode(self, node: Node, /) -> Inode:
        """Return what a node is."""
        toc, row = node.toc, node.row
        kind, size, xattrs = toc.kind(row), toc.sizes[row], toc.xattrs.get(row)
        device, offset, extents = 0, 0, None
        if size and node in self._positions:
            device, offset = self._companion, self._positions[node]
        elif size:
            device, offset, extents = self._devices[id(toc)], toc.offsets[row], node.sparse
        # fmt: off
        return Inode(
            kind, toc.modes[row], toc.uids[row], toc.gids[row], toc.mtimes[row],
            toc.nanoseconds[row], self._kept(kind, xattrs) if xattrs else (), NOTHING,
            size, device, offset, extents, toc.links.get(row, b""), *node.device,
        )
        # fmt: on

    def _kept(self, kind: Kind, xattrs: Xattrs) -> Xattrs:
        kept = kept_xattrs(kind, xattrs)
        if self._below_overlay and _is_for_overlayfs(kept):
            escaped = sorted((Overlay.TRUSTED.escaped(name), value) for name, value in kept)
            return kept_xattrs(kind, escaped)  # the new names are longer
        return kept
