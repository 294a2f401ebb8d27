"""Reading a tar: bytes in, in pieces of any size and once; entries out.

The grammar is one generator that asks for stretches of the archive, each further on than the one
before, and gets their bytes; whoever drives it never has to go back, nor to keep a body.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import BadArchive, LayerLimit, Truncated, shown
from nacre.layers.tar import sparse
from nacre.layers.tar.header import BLOCK, ZERO_BLOCK, Header, Request, c_string, decode_header
from nacre.layers.tar.member import SPARSE, Extensions, extended_entry, plain_entry
from nacre.layers.tar.pax import parse_records
from nacre.layers.tar.usual import usual_entry

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_ENTRIES = 2_000_000
MAX_NAME = 4096
MAX_DEPTH = 512
MAX_EXTENDED = 1 << 20
MAX_HOLES = 1 << 40

_EXTENDED, _GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_NOTHING = memoryview(b"")
_SPECIAL = frozenset((_EXTENDED, _LONG_NAME, _LONG_LINK, SPARSE))


class Scanner:
    """A push parser: is fed a tar in pieces, and returns entries as their headers are complete.

    It reads ustar, PAX, GNU, star and V7 headers, ignores global PAX headers, and takes the end
    of the input for the end of the archive when the marker of two zero blocks is missing.
    Whatever follows the marker is ignored.

    Args:
        max_entries: most entries to accept.
        max_name: most bytes of a name or link target.
        max_depth: most slashes in a name.
        max_extended: most bytes of one extended header or sparse map.
        max_holes: most bytes of holes in all sparse files together.
    """

    def __init__(
        self,
        *,
        max_entries: int = MAX_ENTRIES,
        max_name: int = MAX_NAME,
        max_depth: int = MAX_DEPTH,
        max_extended: int = MAX_EXTENDED,
        max_holes: int = MAX_HOLES,
    ) -> None:
        self._max_entries = max_entries
        self._max_name = max_name
        self._max_depth = max_depth
        self._max_extended = max_extended
        self._max_holes = max_holes
        self._holes = 0
        self._harmless = min(max_name, max_depth)
        self.has_end_marker = False
        """True once the marker of the end of the archive was seen."""
        self._count = 0
        self._found: list[Entry] = []
        self._fed = 0
        self._chunk = _NOTHING  # what is being fed
        self._held = bytearray()  # fed, wanted, but not complete yet
        self._member = 0  # where the present member begins
        self._body_end = 0  # how far the last member's body reaches
        self._may_end = True
        self._grammar = self._parse()
        self._wanted: Request | None = next(self._grammar)

    def feed(self, chunk: Buffer) -> list[Entry]:
        """Take the next piece of the tar; return the entries that it completes.

        After an error the scanner must not be fed again.

        Raises:
            BadArchive: a header is malformed.
            LayerLimit: the archive exceeds one of the limits.
        """
        found: list[Entry] = []
        self._found = found
        with memoryview(chunk) as whole, whole.cast("B") as view:
            start = self._fed
            self._fed = end = start + len(view)
            self._chunk = view
            try:
                while self._wanted is not None:
                    offset, length = self._wanted
                    if offset + length > end:
                        self._held += view[max(offset - start, 0) :]
                        break
                    if offset >= start:
                        data = bytes(view[offset - start : offset - start + length])
                    else:
                        data = bytes(self._held) + view[: offset + length - start]
                        self._held.clear()
                    self._wanted = self._grammar.send(data)
            except StopIteration:
                self._wanted = None
            except ValueError as problem:
                raise BadArchive(
                    f"the tar member at byte {self._member} is malformed: {problem}",
                    offset=self._member,
                ) from problem
            finally:
                self._chunk = _NOTHING
        return found

    def finish(self) -> None:
        """Say that the whole tar was fed.

        Raises:
            Truncated: it ends inside a header or a body.
        """
        if self._wanted is None:
            return
        if not self._may_end or self._fed < self._body_end:
            member = self._member
        elif self._held:
            member = self._wanted[0]
        else:
            return
        raise Truncated(
            f"the tar ends at byte {self._fed}, inside the member at byte {member}",
            offset=member,
        )

    def _parse(self) -> Generator[Request, bytes, None]:
        position = 0
        while (block := (yield position, BLOCK)) != ZERO_BLOCK:
            self._may_end = False
            self._member = position
            header = decode_header(block)
            position += BLOCK
            if header.typeflag == _GLOBAL:
                self._body_end = position + header.size
            else:
                if header.typeflag in _SPECIAL:
                    entry = yield from self._parse_special(header, position)
                else:
                    entry = plain_entry(header, header_offset=self._member, data_offset=position)
                self._accept(entry)
                self._body_end = entry.data_offset + entry.stored_size
            self._may_end = True
            position = self._skip_usual(self._body_end + -self._body_end % BLOCK)
        self._member = position
        if (yield position + BLOCK, BLOCK) != ZERO_BLOCK:
            raise ValueError("a zero block is followed by something else")
        self.has_end_marker = True

    def _skip_usual(self, position: int) -> int:
        """Read members on from ``position`` as long as they are usual ones in the present chunk.

        Returns:
            where the first that is not begins.
        """
        chunk, start, end = self._chunk, self._fed - len(self._chunk), self._fed - BLOCK
        found, harmless = self._found, self._harmless
        room = self._max_entries - self._count
        while position <= end and room:
            entry = usual_entry(bytes(chunk[position - start : position - start + BLOCK]), position)
            if entry is None or len(entry.name) > harmless or len(entry.linkname) > self._max_name:
                break
            found.append(entry)
            room -= 1
            self._member = position
            self._body_end = position + BLOCK + entry.stored_size
            position = self._body_end + -entry.stored_size % BLOCK
        self._count = self._max_entries - room
        return position

    def _parse_special(self, header: Header, position: int) -> Generator[Request, bytes, Entry]:
        extensions = Extensions()
        while header.typeflag in (_EXTENDED, _LONG_NAME, _LONG_LINK):
            body = yield from self._extension_body(header, position)
            _extend(extensions, header.typeflag, body)
            position += len(body) + -len(body) % BLOCK
            header = decode_header((yield position, BLOCK))
            position += BLOCK
        entry = extended_entry(header, extensions, header_offset=self._member, data_offset=position)
        limit = self._max_extended
        if header.typeflag == SPARSE:
            return (yield from sparse.read_old_map(entry, header.block, max_extended=limit))
        if not sparse.is_sparse(extensions.body, extensions.records):
            return entry
        if entry.kind is not Kind.REG:
            raise ValueError("it has a sparse map and is no file")
        return (yield from sparse.read_pax_map(entry, extensions.records, max_extended=limit))

    def _extension_body(self, header: Header, position: int) -> Generator[Request, bytes, bytes]:
        if header.size > self._max_extended:
            raise LayerLimit(
                f"the extended header at byte {self._member} takes {header.size} bytes, "
                f"more than {self._max_extended}",
                limit="max_extended",
                maximum=self._max_extended,
            )
        return (yield position, header.size) if header.size else b""

    def _accept(self, entry: Entry) -> None:
        self._count += 1
        if self._count > self._max_entries:
            raise LayerLimit(
                f"the archive has more than {self._max_entries} entries",
                limit="max_entries",
                maximum=self._max_entries,
            )
        if len(entry.name) > self._harmless or len(entry.linkname) > self._max_name:
            self._check_name(entry)
        if entry.sparse is not None:
            self._check_holes(entry)
        self._found.append(entry)

    def _check_holes(self, entry: Entry) -> None:
        self._holes += entry.size - entry.stored_size
        if self._holes > self._max_holes:
            raise LayerLimit(
                f"the sparse files have more than {self._max_holes} bytes of holes",
                limit="max_holes",
                maximum=self._max_holes,
            )

    def _check_name(self, entry: Entry) -> None:
        name = shown(entry.name)
        if max(len(entry.name), len(entry.linkname)) > self._max_name:
            raise LayerLimit(
                f"the name or link of {name} is longer than {self._max_name} bytes",
                limit="max_name",
                maximum=self._max_name,
            )
        if entry.name.count(b"/") > self._max_depth:
            raise LayerLimit(
                f"the name {name} has more than {self._max_depth} slashes",
                limit="max_depth",
                maximum=self._max_depth,
            )


def _extend(extensions: Extensions, typeflag: bytes, body: bytes) -> None:
    if typeflag == _LONG_NAME:
        extensions.name = c_string(body)
    elif typeflag == _LONG_LINK:
        extensions.linkname = c_string(body)
    elif extensions.records:
        # No tool writes this, and readers differ in which of the two they believe.
        raise ValueError("it has two extended headers")
    else:
        extensions.records, extensions.body = parse_records(body), body


def scan(
    buffer: Buffer,
    *,
    max_entries: int = MAX_ENTRIES,
    max_name: int = MAX_NAME,
    max_depth: int = MAX_DEPTH,
    max_extended: int = MAX_EXTENDED,
) -> list[Entry]:
    """Return the entries of a whole tar in memory or, better, in a memory map.

    The limits are those of ``Scanner``.

    Raises:
        BadArchive: a header is malformed.
        Truncated: the tar ends inside a header or a body.
        LayerLimit: the archive exceeds one of the limits.
    """
    scanner = Scanner(
        max_entries=max_entries,
        max_name=max_name,
        max_depth=max_depth,
        max_extended=max_extended,
    )
    entries = scanner.feed(buffer)
    scanner.finish()
    return entries
