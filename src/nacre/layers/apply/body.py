"""Writing the content of a file as it arrives."""

from __future__ import annotations

import os

from nacre.layers.entry import Entry


class Body:
    """A file whose bytes have not all arrived.

    Args:
        fd: the open, empty file; closed with the body.
        entry: what the layer says of it.
        path: its clean path.
    """

    __slots__ = ("_extents", "_left", "entry", "fd", "path")

    def __init__(self, fd: int, entry: Entry, path: bytes) -> None:
        self.fd = fd
        self.entry = entry
        self.path = path
        self._left = entry.stored_size
        self._extents = _Extents(fd, entry) if entry.sparse is not None else None

    def write(self, view: memoryview, start: int) -> bool:
        """Write the bytes that come next, and leave those that are not the file's.

        Args:
            view: bytes of the tar.
            start: where in it the next ones are.

        Returns:
            Whether that was all.
        """
        end = min(start + self._left, len(view))
        write = os.write if self._extents is None else self._extents.write
        while start < end:
            written = write(self.fd, view[start:end])
            start += written
            self._left -= written
        return not self._left

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)


class _Extents:
    """Puts the stored bytes of a sparse file where they belong."""

    def __init__(self, fd: int, entry: Entry) -> None:
        os.truncate(fd, entry.size)
        self._extents = iter(entry.sparse or ())
        self._offset, self._length = 0, 0

    def write(self, fd: int, data: memoryview) -> int:
        """Write some of the bytes that come next; return how many."""
        if not self._length:
            self._offset, self._length = next(self._extents)
        written = os.pwrite(fd, data[: self._length], self._offset)
        self._offset += written
        self._length -= written
        return written
