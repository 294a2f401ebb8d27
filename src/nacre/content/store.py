"""Blobs: bytes named by their digest.

A blob's life. A producer that knows what it will write says so (``expected``) and enters
``ingest``; one that does not, enters it with nothing. Bytes go into an *ingest*, which nobody
else can see. ``commit`` checks size and digest, makes the bytes durable and lets them appear
under their digest, whole, at once; leaving the block without ``commit`` is as if nothing had
happened, except that an ingest with an expected digest keeps its bytes so that the next one of
the same digest goes on from there (``offset`` > 0), also after a crash.

While an ingest of a digest is open, a second one of the same digest waits, in this process or
another; when the first commits, the second raises `AlreadyExists`. So one download serves all.

A committed blob never changes. Readers check what they read: a stream from ``open`` raises
`CorruptBlob` at its end when size or digest are not those of the descriptor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, runtime_checkable

from nacre.content.errors import BlobNotFound, CorruptBlob
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest

__all__ = [
    "BlobCollection",
    "BlobNotFound",
    "BlobReader",
    "BlobStore",
    "BlobWriter",
    "Buffer",
    "CorruptBlob",
    "Ingest",
]

Buffer = bytes | bytearray | memoryview


class BlobReader(Protocol):
    """Where blobs are read from."""

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return the blob's bytes as a stream that checks size and digest at its end.

        Raises:
            BlobNotFound: it is not here.
        """

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return the bytes from ``offset`` on, unchecked: only for feeding an ingest, which checks.

        Raises:
            BlobNotFound: it is not here.
        """

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether the blob is here."""


class Ingest(Protocol):
    """A blob being written; see the life-cycle above."""

    @property
    def offset(self) -> int:
        """How many bytes are in: more than 0 on entry when an interrupted ingest goes on."""

    @property
    def digest(self) -> Digest:
        """The digest of the bytes so far: what a commit now would show."""

    def write(self, data: Buffer, /) -> int:
        """Append bytes and return how many.

        Raises:
            CorruptBlob: more bytes than expected.
        """

    def restart(self) -> None:
        """Forget all bytes so far: they turned out wrong or the source cannot continue."""

    def commit(self, media_type: str) -> Descriptor:
        """Check, make durable, and show the blob; a digest that is there already is no error.

        Raises:
            CorruptBlob: size or digest are not as expected; the bytes are forgotten.
        """


class BlobWriter(Protocol):
    """Where blobs are written to."""

    def ingest(self, expected: Descriptor | None = None) -> AbstractContextManager[Ingest]:
        """Enter the writing of one blob.

        Raises:
            AlreadyExists: the expected blob is here, perhaps since a moment ago.
        """


@runtime_checkable
class BlobCollection(Protocol):
    """Blobs that can be counted and dropped: what garbage collection works on."""

    def __iter__(self) -> Iterator[Digest]:
        """Go through the digests of all committed blobs, in no order."""

    def size(self, digest: Digest) -> int:
        """Return a blob's size in bytes.

        Raises:
            BlobNotFound: it is not here.
        """

    def delete(self, digest: Digest) -> None:
        """Drop a blob; one that is not here is no error."""


class BlobStore(BlobReader, BlobWriter, BlobCollection, Protocol):
    """A whole store of blobs."""
