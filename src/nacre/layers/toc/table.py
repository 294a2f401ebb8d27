"""The table of contents of a layer: one row a member, in the order of the tar.

It is kept as columns rather than rows: a million members take some 150 MB instead of half a
gigabyte, and forty thousand are loaded in milliseconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence

from nacre.layers.entry import Entry, Extent, Kind
from nacre.layers.whiteout import Role
from nacre.oci.digest import Digest
from nacre.value import Value

KINDS = {kind.value[0]: kind for kind in Kind}
"""What the bytes of the column ``kinds`` stand for."""

DIGEST_SIZE = 32
NO_DIGEST = bytes(DIGEST_SIZE)
"""What the column ``digests`` holds for a row without a digest."""

Xattrs = tuple[tuple[bytes, bytes], ...]


class Toc(Value):
    """What is in one layer. Columns have one item a row; mappings name the few rows they concern.

    Rows are in the order of the tar, repeated paths and whiteouts included: what they come to
    together is for ``nacre.layers.union`` to say.
    """

    layer: Digest
    """The layer's diff ID."""
    size: int
    """Length in bytes of its tar."""
    paths: Sequence[bytes]
    """Clean paths, see ``nacre.layers.paths``."""
    roles: bytes
    """A ``Role`` each."""
    kinds: bytes
    """The type flag of a ``Kind`` each."""
    modes: array[int]
    uids: array[int]
    gids: array[int]
    sizes: array[int]
    mtimes: array[int]
    nanoseconds: array[int]
    offsets: array[int]
    """Where in the tar a member's bytes begin."""
    links: Mapping[int, bytes]
    """Targets of links, as the layer writes them."""
    devices: Mapping[int, tuple[int, int]]
    """Major and minor numbers, where they are not both zero."""
    xattrs: Mapping[int, Xattrs]
    """Extended attributes: pairs of name and value, sorted by name."""
    sparse: Mapping[int, tuple[Extent, ...]]
    """Maps of sparse files."""
    digests: bytes
    """SHA-256 of each file's content, 32 bytes a row, zeros where there is none; or empty."""

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Entry]:
        return map(self.entry, range(len(self.paths)))

    def role(self, row: int) -> Role:
        """Return what a member does to the tree."""
        return Role(self.roles[row])

    def kind(self, row: int) -> Kind:
        """Return what a member is."""
        return KINDS[self.kinds[row]]

    def stored_size(self, row: int) -> int:
        """Return how many bytes the tar holds of a file: its size, or less if it has holes."""
        extents = self.sparse.get(row)
        return self.sizes[row] if extents is None else sum(extent.length for extent in extents)

    def digest(self, row: int) -> Digest | None:
        """Return the SHA-256 of a file's content, None when it is not known."""
        stored = self.digests[row * DIGEST_SIZE : (row + 1) * DIGEST_SIZE]
        if not stored or stored == NO_DIGEST:
            return None
        return Digest(f"sha256:{stored.hex()}")

    def entry(self, row: int) -> Entry:
        """Return a member. Its name is its clean path, and its header's offset is not known."""
        major, minor = self.devices.get(row, (0, 0))
        return Entry(
            self.paths[row],
            KINDS[self.kinds[row]],
            self.modes[row],
            self.uids[row],
            self.gids[row],
            self.sizes[row],
            self.mtimes[row],
            self.nanoseconds[row],
            self.links.get(row, b""),
            major,
            minor,
            self.xattrs.get(row, ()),
            self.sparse.get(row),
            0,
            self.offsets[row],
            self.stored_size(row),
        )
