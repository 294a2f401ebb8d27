"""Where the bytes of blobs lie: under keys that nobody outside of the hub ever sees.

The life of a key. An upload begins with ``new_key``: random, so that no text of a client is ever
part of a path, and never used twice. ``append`` writes at its end, as often as the upload has
parts; each time, bytes beyond the offset that the records know are cut off first (a request that
broke off left them there). ``seal`` makes the bytes and their name durable. Only then may a
record point to the key: from that moment it is a blob's, without renaming or copying, and its
bytes never change. ``delete`` ends it; by then no record has pointed to it for a while.

Because a new upload of the same digest has a new key, a late ``delete`` can never hit it.

All methods block: call them off the event loop. Errors of the disk come as `OutOfSpace` and
`Busy`; a place that went away is `Busy` for all of them, and nothing is made in its stead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

Buffer = bytes | bytearray | memoryview


class Writing(Protocol):
    """The end of a key's bytes, open for more."""

    def write(self, data: Buffer, /) -> None:
        """Append all of ``data``.

        Raises:
            OutOfSpace: there is no room for it.
        """


@dataclass(frozen=True, slots=True)
class Kept:
    """A key that has bytes: how many, and when they were last written."""

    key: str
    size: int
    written_at: datetime


class BytePlace(Protocol):
    """A place for the bytes of blobs."""

    def new_key(self) -> str:
        """Return a key that has never been used."""

    def append(self, key: str, offset: int) -> AbstractContextManager[Writing]:
        """Enter writing at ``offset``, in bytes; whatever lies beyond it is cut off.

        Raises:
            NotFound: fewer bytes than ``offset`` are there: they were lost.
        """

    def seal(self, key: str) -> None:
        """Make a key's bytes survive a crash; an empty key comes to be by this."""

    def open(self, key: str) -> BinaryIO:
        """Return a key's bytes, seekable.

        Raises:
            NotFound: it has none.
        """

    def size(self, key: str) -> int | None:
        """Return how many bytes a key has, or None when it has none."""

    def path(self, key: str) -> Path | None:
        """Return the file that a key's bytes are, or None where they are no file here."""

    def delete(self, keys: Iterable[str]) -> Iterable[str]:
        """Drop keys, and return those that could not be dropped now; one that is gone is fine."""

    def check(self) -> None:
        """Return if the place is there.

        Raises:
            Busy: it is not, or not the one that it was: what is written now would be lost.
        """

    def __iter__(self) -> Iterator[Kept]:
        """Go through all keys that have bytes, in no order; for checks and repairs only."""
