"""From the union of a chain to what the EROFS writer takes.

File data stays where it is, in the raw tars: each layer that a file of the tree comes from is one
device, however often it occurs in the chain. The few files that cannot be used where they lie
(sparse ones, off the bounds of blocks; the last one of a tar without padding) are written out to
one more device, the *companion*.
"""

from __future__ import annotations

from typing import NamedTuple

from nacre.erofs.chunks import is_mappable
from nacre.erofs.errors import shown
from nacre.erofs.inode import NOTHING, Device, Inode
from nacre.erofs.structures import BLOCK, MAX_DEVICE_BLOCKS
from nacre.layers.entry import Extent, Kind
from nacre.layers.toc.table import KINDS
from nacre.layers.union import BadLayer, Node, Tree
from nacre.layers.whiteout import Overlay
from nacre.layers.xattrs import Xattrs, kept_xattrs
from nacre.oci.digest import Digest
from nacre.storage.erofs.devices import COMPANION, tag

_Place = tuple[int, int, tuple[Extent, ...] | None]
_NOWHERE: _Place = (0, 0, None)
_NO_DEVICE = (0, 0)
_new_inode = tuple.__new__
_COMPANION_SIZE = MAX_DEVICE_BLOCKS * BLOCK


class WrittenOut(NamedTuple):
    """A file that has to lie in the companion."""

    node: Node
    offset: int
    """Where it begins there; its holes take their place."""


class Plan(NamedTuple):
    """What to write, and where the data is."""

    root: Inode
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
    return _Planner(tree, below_overlay=below_overlay).run()


class _Planner:
    """One tree on its way to become inodes."""

    def __init__(self, tree: Tree, *, below_overlay: bool) -> None:
        self._tree = tree
        self._below_overlay = below_overlay
        self._sizes = {toc.layer: toc.size for toc in tree.layers}
        self._devices: dict[Digest, int] = {}
        self._written_out: list[WrittenOut] = []
        self._position = 0
        self._overlaid = False

    def run(self) -> Plan:
        used = self._used()
        # In the order of the chain, so that one chain has one order.
        self._devices = {layer: n for n, layer in enumerate(d for d in self._sizes if d in used)}
        root = self._inodes()
        devices = [Device(tag(layer), self._sizes[layer]) for layer in self._devices]
        if self._written_out:
            devices.append(Device(COMPANION, self._position))
        return Plan(root, tuple(devices), tuple(self._written_out), self._position, self._overlaid)

    def _used(self) -> set[Digest]:
        """Return the layers that files of the tree come from."""
        used: set[Digest] = set()
        waiting = [self._tree.root]
        while waiting:
            for node in (waiting.pop().children or {}).values():
                if node.children is not None:
                    waiting.append(node)
                elif node.toc.sizes[node.row]:
                    used.add(node.toc.layer)
        return used

    def _inodes(self) -> Inode:
        known: dict[Node, Inode] = {}
        top: dict[bytes, Inode] = {}
        waiting = [(self._tree.root, top)]
        while waiting:
            directory, children = waiting.pop()
            for name, node in sorted((directory.children or {}).items()):
                if node.children is not None:
                    below: dict[bytes, Inode] = {}
                    children[name] = self._inode(node, below)
                    waiting.append((node, below))
                elif node.names == 1:
                    children[name] = self._inode(node)
                else:
                    inode = known.get(node)
                    if inode is None:
                        inode = known[node] = self._inode(node)
                    children[name] = inode
        return self._inode(self._tree.root, top)

    def _inode(self, node: Node, children: dict[bytes, Inode] | None = None) -> Inode:
        # Straight from the columns, and each made at once: this runs for every file of an image.
        toc, row = node.toc, node.row
        code, size = toc.kinds[row], toc.sizes[row]
        device, offset, extents = self._place(node, size) if size else _NOWHERE
        major, minor = toc.devices.get(row, _NO_DEVICE)
        xattrs = toc.xattrs.get(row)
        kept = self._kept(KINDS[code], xattrs) if xattrs else ()
        # fmt: off
        return _new_inode(Inode, (
            KINDS[code], toc.modes[row], toc.uids[row], toc.gids[row], toc.mtimes[row],
            toc.nanoseconds[row], kept, NOTHING if children is None else children,
            size, device, offset, extents, toc.links.get(row, b""), major, minor,
        ))
        # fmt: on

    def _place(self, node: Node, size: int) -> _Place:
        """Return the device of a file's data, where it is there, and what of it are no holes."""
        toc, row = node.toc, node.row
        extents, offset = toc.sparse.get(row), toc.offsets[row]
        # Nearly every file ends far before its tar does; then there is nothing more to ask.
        is_whole = offset + size + BLOCK <= toc.size or _has_whole_blocks(node)
        if is_whole and is_mappable(size, offset, extents):
            return self._devices[toc.layer], offset, extents
        return len(self._devices), self._reserve(node, size), None

    def _reserve(self, node: Node, size: int) -> int:
        position = self._position
        if position + size > _COMPANION_SIZE:
            path = toc_path(node)
            raise BadLayer(
                f"the sparse file {shown(path)} of {size} bytes is too large",
                layer=node.layer,
                path=path,
            )
        self._written_out.append(WrittenOut(node, position))
        self._position += size + -size % BLOCK
        return position

    def _kept(self, kind: Kind, xattrs: Xattrs) -> Xattrs:
        kept = kept_xattrs(kind, xattrs)
        if any(name.startswith(Overlay.TRUSTED.value) for name, _ in kept):
            self._overlaid = True
            if self._below_overlay:
                escaped = sorted((Overlay.TRUSTED.escaped(name), value) for name, value in kept)
                kept = kept_xattrs(kind, escaped)  # the new names are longer
        return kept


def _has_whole_blocks(node: Node) -> bool:
    """Say whether the last block of a file lies in its tar: the kernel reads whole ones."""
    end = node.data_offset + node.stored_size
    return end + -end % BLOCK <= node.toc.size


def toc_path(node: Node) -> bytes:
    """Return a path of a file, as its layer has it."""
    return node.toc.paths[node.row]
