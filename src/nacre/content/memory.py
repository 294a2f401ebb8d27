"""The store in memory: what tests and short-lived work use in place of a folder and a database."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from nacre.content.leases import Lease
from nacre.content.refs import RefNotFound
from nacre.content.store import BlobNotFound, Buffer, CorruptBlob
from nacre.content.verify import verified
from nacre.errors import AlreadyExists
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest

_WHERE = "memory"


class MemoryIngest:
    """Bytes on their way; see `nacre.content.store.Ingest`."""

    def __init__(self, blobs: dict[Digest, bytes], expected: Descriptor | None, kept: bytes):
        self._blobs = blobs
        self._expected = expected
        self.data = bytearray(kept)

    @property
    def offset(self) -> int:
        """How many bytes are in."""
        return len(self.data)

    @property
    def digest(self) -> Digest:
        """The digest of the bytes so far."""
        return Digest.of(self.data, self._expected.digest.algorithm if self._expected else "sha256")

    def write(self, data: Buffer, /) -> int:
        """Append bytes."""
        size = memoryview(data).nbytes
        if self._expected and self.offset + size > self._expected.size:
            self.restart()
            raise CorruptBlob(
                f"blob {self._expected.digest} is longer than its {self._expected.size} bytes"
            )
        self.data += data
        return size

    def restart(self) -> None:
        """Forget all bytes."""
        self.data.clear()

    def commit(self, media_type: str) -> Descriptor:
        """Check and show the blob."""
        digest, expected = self.digest, self._expected
        if expected and digest != expected.digest:
            self.restart()
            raise CorruptBlob(f"blob {expected.digest} has digest {digest}")
        if expected and self.offset != expected.size:
            self.restart()
            raise CorruptBlob(f"blob {digest} has not {expected.size} bytes")
        self._blobs[digest] = bytes(self.data)
        return Descriptor(media_type, digest, self.offset)


class MemoryBlobs:
    """A `BlobStore` of one process."""

    def __init__(self) -> None:
        self._blobs: dict[Digest, bytes] = {}
        self._parts: dict[Digest, bytes] = {}
        self._busy: set[Digest] = set()
        self._changed = threading.Condition()

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return the blob's bytes, checked; see `BlobReader`."""
        return verified(self.stream(descriptor), descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return the bytes from ``offset`` on; see `BlobReader`."""
        return io.BytesIO(self._bytes(descriptor.digest)[offset:])

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether the blob is here, in its full size."""
        return len(self._blobs.get(descriptor.digest, b"")) == descriptor.size and (
            descriptor.digest in self._blobs
        )

    @contextmanager
    def ingest(self, expected: Descriptor | None = None) -> Iterator[MemoryIngest]:
        """Enter the writing of one blob; see `BlobWriter`."""
        if expected is None:
            yield MemoryIngest(self._blobs, None, b"")
            return
        digest = expected.digest
        with self._changed:
            self._changed.wait_for(lambda: digest not in self._busy)
            if self.exists(expected):
                raise AlreadyExists(f"blob {digest} is in {_WHERE} already")
            self._busy.add(digest)
        ingest = MemoryIngest(self._blobs, expected, self._parts.pop(digest, b""))
        try:
            yield ingest
        finally:
            with self._changed:
                if not self.exists(expected):
                    self._parts[digest] = bytes(ingest.data)
                self._busy.remove(digest)
                self._changed.notify_all()

    def __iter__(self) -> Iterator[Digest]:
        """Go through the digests of all blobs."""
        return iter(tuple(self._blobs))

    def size(self, digest: Digest) -> int:
        """Return a blob's size in bytes; see `BlobCollection`."""
        return len(self._bytes(digest))

    def delete(self, digest: Digest) -> None:
        """Drop a blob."""
        self._blobs.pop(digest, None)

    def _bytes(self, digest: Digest) -> bytes:
        try:
            return self._blobs[digest]
        except KeyError:
            raise BlobNotFound(digest, _WHERE) from None


class MemoryRefs:
    """A `RefStore` of one process."""

    def __init__(self) -> None:
        self._refs: dict[str, Descriptor] = {}

    def resolve(self, name: str) -> Descriptor:
        """Return what a name points at; see `RefStore`."""
        try:
            return self._refs[name]
        except KeyError:
            raise RefNotFound(f"no such name: {name}") from None

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Point a name at content."""
        self._refs[name] = descriptor

    def untag(self, name: str) -> None:
        """Drop a name; see `RefStore`."""
        self.resolve(name)
        del self._refs[name]

    def names(self) -> Iterator[str]:
        """Go through all names, sorted."""
        return iter(sorted(self._refs))


class MemoryLeases:
    """`Leases` of one process."""

    def __init__(self) -> None:
        self._leases: list[_MemoryLease] = []

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """Enter a lease."""
        lease = _MemoryLease()
        self._leases.append(lease)
        try:
            yield lease
        finally:
            self._leases.remove(lease)

    def held(self) -> list[Descriptor]:
        """Return what is held."""
        return [descriptor for lease in self._leases for descriptor in lease.descriptors]


class _MemoryLease:
    def __init__(self) -> None:
        self.descriptors: list[Descriptor] = []

    def hold(self, descriptors: Iterable[Descriptor]) -> None:
        """Keep this content."""
        self.descriptors.extend(descriptors)
