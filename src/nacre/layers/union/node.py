"""A node of the tree that layers make: what an inode is on disk."""

from __future__ import annotations

from nacre.layers.entry import Entry, Extent, Kind
from nacre.layers.toc import Toc, toc_of
from nacre.layers.toc.table import Xattrs
from nacre.oci.digest import Digest

IMPLIED = toc_of([Entry(b"implied", Kind.DIR, 0o755)], layer=Digest.of(b""))
"""Where directories that no layer lists take their attributes from: 0755, root's, of 1970."""


class Node:
    """A file, directory, symbolic link, device or pipe; the names of a hard-linked file share one.

    Its attributes are those of one row of one layer's table. Nodes are made by ``union`` and not
    changed afterwards; a plain class with slots, because a large image has a million of them.
    """

    __slots__ = ("attributes_layer", "children", "layer", "names", "row", "toc")

    def __init__(self, toc: Toc, row: int, layer: int, children: dict[bytes, Node] | None) -> None:
        self.toc = toc
        """The table that its attributes are in; ``IMPLIED`` for an implied directory."""
        self.row = row
        """Where they are in that table."""
        self.layer = layer
        """Number of the layer, the base being 0, that its content comes from: for a directory the
        lowest layer that has it, as it stands since."""
        self.attributes_layer = layer
        """Number of the layer that its attributes come from. It differs from ``layer`` only for
        directories, which higher layers may give other attributes."""
        self.children = children
        """What a directory holds, by name; None for everything else."""
        self.names = 1
        """In how many places of the tree it is; the number of links of everything but directories.
        """

    @property
    def implied(self) -> bool:
        """Whether it is a directory that no layer lists, but that something listed lies in."""
        return self.toc is IMPLIED

    @property
    def entry(self) -> Entry:
        """All attributes at once, with the path under which its layer lists it."""
        return self.toc.entry(self.row)

    @property
    def kind(self) -> Kind:
        """What it is; never a hard link."""
        return self.toc.kind(self.row)

    @property
    def mode(self) -> int:
        """The twelve permission bits."""
        return self.toc.modes[self.row]

    @property
    def uid(self) -> int:
        """Its owner."""
        return self.toc.uids[self.row]

    @property
    def gid(self) -> int:
        """Its group."""
        return self.toc.gids[self.row]

    @property
    def size(self) -> int:
        """Length in bytes of a file, holes included; zero for everything else."""
        return self.toc.sizes[self.row]

    @property
    def mtime(self) -> int:
        """Seconds since 1970 of its last change, rounded down."""
        return self.toc.mtimes[self.row]

    @property
    def mtime_nsec(self) -> int:
        """Nanoseconds to add to ``mtime``."""
        return self.toc.nanoseconds[self.row]

    @property
    def linkname(self) -> bytes:
        """Target of a symbolic link; empty for everything else."""
        return self.toc.links.get(self.row, b"")

    @property
    def device(self) -> tuple[int, int]:
        """Major and minor number of a device; zeros for everything else."""
        return self.toc.devices.get(self.row, (0, 0))

    @property
    def xattrs(self) -> Xattrs:
        """Extended attributes: pairs of name and value, sorted by name."""
        return self.toc.xattrs.get(self.row, ())

    @property
    def sparse(self) -> tuple[Extent, ...] | None:
        """The data of a sparse file; None for everything else."""
        return self.toc.sparse.get(self.row)

    @property
    def data_offset(self) -> int:
        """Where in the tar of its layer its stored bytes begin."""
        return self.toc.offsets[self.row]

    @property
    def stored_size(self) -> int:
        """How many bytes that tar stores of it."""
        return self.toc.stored_size(self.row)

    @property
    def digest(self) -> Digest | None:
        """SHA-256 of a file's content, None when the table does not say."""
        return self.toc.digest(self.row)

    @property
    def nlink(self) -> int:
        """The number of links that lstat(2) shows."""
        if self.children is None:
            return self.names
        return 2 + sum(child.children is not None for child in self.children.values())
