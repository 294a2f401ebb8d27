"""The digests of the files in a tar that passes by in pieces."""

from __future__ import annotations

from collections.abc import Iterable

from nacre.layers.entry import Entry, Kind
from nacre.layers.toc.table import NO_DIGEST
from nacre.oci.digest import hasher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.oci.digest import Hasher


class FileDigests:
    """Hashes every file's content. Sparse files are left out: their holes could be endless."""

    def __init__(self) -> None:
        self._digests = bytearray()
        self._fed = 0
        self._hasher: Hasher | None = None  # of the file that is not complete yet
        self._end = 0  # where its bytes end

    def feed(self, piece: memoryview, entries: Iterable[Entry]) -> None:
        """Take the next piece of the tar and the entries whose headers it completed."""
        start = self._fed
        self._fed += len(piece)
        if self._hasher is not None:
            self._update(self._hasher, piece[: self._end - start])
        for entry in entries:
            if entry.kind is not Kind.REG or entry.sparse is not None:
                self._digests += NO_DIGEST
                continue
            self._end = entry.data_offset + entry.size
            self._update(hasher(), piece[entry.data_offset - start : self._end - start])

    def finish(self) -> bytes:
        """Return the column for a ``Toc``; the tar must be whole."""
        return bytes(self._digests)

    def _update(self, digest: Hasher, part: memoryview) -> None:
        digest.update(part)
        self._hasher = None if self._fed >= self._end else digest
        if self._hasher is None:
            self._digests += bytes.fromhex(digest.hexdigest())
