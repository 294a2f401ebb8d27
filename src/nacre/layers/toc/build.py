"""Making a table of contents while a layer's tar passes by."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from nacre.layers.entry import Entry, Extent, Kind
from nacre.layers.errors import BadArchive, LayerLimit, shown
from nacre.layers.paths import clean
from nacre.layers.tar import Scanner
from nacre.layers.toc.digesting import FileDigests
from nacre.layers.toc.table import Toc, Xattrs
from nacre.layers.whiteout import PREFIX, role
from nacre.oci.digest import Digest

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_METADATA = 512 << 20
MAX_PART = 255

# By identity: members of an Enum are slow to hash.
_CODES = {id(kind): kind.value[0] for kind in Kind}
_LINKS = Kind.LINK.value + Kind.SYMLINK.value


class TocBuilder:
    """Is fed a layer's tar in pieces of any size; gives its table of contents.

    Args:
        scanner: the reader of the tar, which has limits of its own; a fresh one.
        digests: whether to hash the content of every file too.
        max_metadata: most bytes of names, link targets, attributes and sparse maps together.
        max_part: most bytes of one part of a path; no file system of Linux takes more than 255.
    """

    def __init__(
        self,
        *,
        scanner: Scanner | None = None,
        digests: bool = False,
        max_metadata: int = MAX_METADATA,
        max_part: int = MAX_PART,
    ) -> None:
        self._scanner = scanner or Scanner()
        self._digests = FileDigests() if digests else None
        self._rows = _Rows(max_metadata=max_metadata, max_part=max_part)
        self._size = 0

    def feed(self, chunk: Buffer) -> None:
        """Take the next bytes of the tar. After an error the builder must not be fed again.

        Raises:
            BadArchive: a header is malformed, or names what no layer can hold.
            LayerLimit: the layer exceeds one of the limits.
        """
        with memoryview(chunk) as whole, whole.cast("B") as view:
            entries = self._scanner.feed(view)
            self._size += len(view)
            if entries:
                self._rows.extend(entries)
            if self._digests is not None:
                self._digests.feed(view, entries)

    def finish(self, layer: Digest) -> Toc:
        """Say that the whole tar was fed; return the table of the layer with this diff ID.

        Raises:
            Truncated: the tar ends inside a header or a body.
        """
        self._scanner.finish()
        digests = b"" if self._digests is None else self._digests.finish()
        return self._rows.table(layer, self._size, digests)


def toc_of(entries: Iterable[Entry], *, layer: Digest, size: int = 0) -> Toc:
    """Return the table of a layer of ``size`` bytes with these members, in this order.

    Raises:
        BadArchive: an entry names what no layer can hold.
    """
    rows = _Rows(max_metadata=MAX_METADATA, max_part=MAX_PART)
    if listed := list(entries):
        rows.extend(listed)
    return rows.table(layer, size, b"")


class _Rows:
    """The columns of a table that grows."""

    def __init__(self, *, max_metadata: int, max_part: int) -> None:
        self._max_metadata = max_metadata
        self._max_part = max_part
        self._metadata = 0
        self._paths: list[bytes] = []
        self._roles = bytearray()
        self._kinds = bytearray()
        self._modes = array("H")
        self._owners = array("I"), array("I")
        self._sizes = array("q")
        self._mtimes = array("q")
        self._nanoseconds = array("I")
        self._offsets = array("q")
        self._links: dict[int, bytes] = {}
        self._devices: dict[int, tuple[int, int]] = {}
        self._xattrs: dict[int, Xattrs] = {}
        self._sparse: dict[int, tuple[Extent, ...]] = {}

    def extend(self, entries: list[Entry]) -> None:
        """Add the rows of some entries. Whole columns at once: this is the hot path of a pull."""
        first = len(self._paths)
        names, kinds, modes, uids, gids, sizes, mtimes, nanoseconds, links, *rest = zip(
            *entries, strict=True
        )
        majors, minors, xattrs, sparse, _, offsets, _ = rest
        paths = list(map(clean, names))
        codes = bytes(map(_CODES.__getitem__, map(id, kinds)))
        both = enumerate(zip(codes, links, strict=True), first)
        found = {row: link for row, (code, link) in both if code in _LINKS}
        attributes = {row: pairs for row, pairs in enumerate(xattrs, first) if pairs}
        maps = {row: extents for row, extents in enumerate(sparse, first) if extents is not None}
        self._weigh(paths, found.values(), attributes.values(), maps.values())
        text = b"/".join(paths)
        if b"\0" in text or b"" in paths or not all(found.values()):
            _refuse_odd(entries, paths)
        self._paths += paths
        self._roles += self._roles_of(entries, paths) if PREFIX in text else bytes(len(paths))
        self._kinds += codes
        self._modes.extend(modes)
        self._owners[0].extend(uids)
        self._owners[1].extend(gids)
        self._sizes.extend(sizes)
        self._mtimes.extend(mtimes)
        self._nanoseconds.extend(nanoseconds)
        self._offsets.extend(offsets)
        self._links.update(found)
        self._xattrs.update(attributes)
        self._sparse.update(maps)
        if any(majors) or any(minors):
            numbers = enumerate(zip(majors, minors, strict=True), first)
            self._devices.update((row, pair) for row, pair in numbers if any(pair))

    def _roles_of(self, entries: list[Entry], paths: list[bytes]) -> bytes:
        roles = bytearray(len(paths))
        for row, path in enumerate(paths):
            try:
                roles[row] = role(path)
            except ValueError as problem:
                raise _bad(entries[row], str(problem)) from problem
        return bytes(roles)

    def _weigh(
        self,
        paths: list[bytes],
        links: Collection[bytes],
        xattrs: Collection[Xattrs],
        maps: Collection[tuple[Extent, ...]],
    ) -> None:
        if len(max(paths, key=len)) > self._max_part:
            self._check_parts(paths)
        self._metadata += sum(map(len, paths)) + sum(map(len, links)) + 16 * sum(map(len, maps))
        self._metadata += sum(len(name) + len(value) for pairs in xattrs for name, value in pairs)
        if self._metadata > self._max_metadata:
            raise LayerLimit(
                f"the names and attributes of the layer take more than {self._max_metadata} bytes",
                limit="max_metadata",
                maximum=self._max_metadata,
            )

    def _check_parts(self, paths: list[bytes]) -> None:
        limit = self._max_part
        for path in paths:
            if len(max(path.split(b"/"), key=len)) > limit:
                raise LayerLimit(
                    f"a part of the name {shown(path)} is longer than {limit} bytes",
                    limit="max_part",
                    maximum=limit,
                )

    def table(self, layer: Digest, size: int, digests: bytes) -> Toc:
        """Return the table of all that was added."""
        return Toc(
            layer,
            size,
            self._paths,
            bytes(self._roles),
            bytes(self._kinds),
            self._modes,
            *self._owners,
            self._sizes,
            self._mtimes,
            self._nanoseconds,
            self._offsets,
            self._links,
            self._devices,
            self._xattrs,
            self._sparse,
            digests,
        )


def _refuse_odd(entries: list[Entry], paths: list[bytes]) -> None:
    for entry, path in zip(entries, paths, strict=True):
        if b"\0" in path:
            raise _bad(entry, "its name holds a NUL byte")
        if entry.kind in (Kind.LINK, Kind.SYMLINK) and not entry.linkname:
            raise _bad(entry, "it is a link to nothing")
        if not path and entry.kind is not Kind.DIR:
            raise _bad(entry, "it stands for the root, which can only be a directory")


def _bad(entry: Entry, problem: str) -> BadArchive:
    offset = entry.header_offset
    return BadArchive(
        f"the tar member {shown(entry.name)} at byte {offset} is malformed: {problem}",
        offset=offset,
    )
