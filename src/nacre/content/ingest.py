"""An ingest that is a file: bytes hashed while they are written, checked before they count."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from nacre.content.diskerrors import disk_errors
from nacre.content.hashing import OverlappingHasher, Processors
from nacre.content.store import Buffer, CorruptBlob
from nacre.errors import NacreError
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest, finished

_CHUNK = 1024 * 1024
_WRITEBACK = 4 * _CHUNK


class FileIngest:
    """Writes to an open, locked file; see `nacre.content.store.Ingest`.

    It goes on after the bytes that the file has, which it reads again on entry, as their hash is
    needed. A failed write forgets all of them: after an error of the disk nobody can say which
    arrived, and a full disk should have its space back.

    Args:
        file: the file descriptor; stays open.
        expected: what is to come, or None when nobody knows.
        processors: decides whether hashing gets a thread of its own.
        folder: named in errors.
        publish: makes the finished, durable file a blob.
        drop: removes the file from sight.
    """

    def __init__(
        self,
        file: int,
        expected: Descriptor | None,
        *,
        processors: Processors,
        folder: Path,
        publish: Callable[[Descriptor], None],
        drop: Callable[[], None],
    ) -> None:
        self._file = file
        self._expected = expected
        self._algorithm = expected.digest.algorithm if expected else "sha256"
        self._hasher = OverlappingHasher(self._algorithm, processors)
        self._folder = folder
        self._publish = publish
        self._drop = drop
        self._offset = 0
        self._written_back = 0
        self._committed: Descriptor | None = None

    def __enter__(self) -> Self:
        try:
            with disk_errors(self._folder):
                self._resume()
        except BaseException:
            self._hasher.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._hasher.close()
        if self._committed is None and (self._expected is None or not self._offset):
            with suppress(OSError):
                self._drop()

    @property
    def offset(self) -> int:
        """How many bytes are in."""
        return self._offset

    @property
    def digest(self) -> Digest:
        """The digest of the bytes so far."""
        return finished(self._hasher, self._algorithm)

    def write(self, data: Buffer, /) -> int:
        """Append bytes; those of type ``bytes`` may be hashed in parallel."""
        view = memoryview(data).cast("B")
        expected = self._expected
        if expected and self._offset + len(view) > expected.size:
            self.restart()
            raise CorruptBlob(f"blob {expected.digest} is longer than its {expected.size} bytes")
        self._hasher.update(data)
        try:
            with disk_errors(self._folder):
                self._append(view)
        except NacreError:
            self.restart()
            raise
        return len(view)

    def restart(self) -> None:
        """Forget all bytes."""
        with disk_errors(self._folder):
            os.ftruncate(self._file, 0)
        self._hasher.restart()
        self._offset = self._written_back = 0

    def commit(self, media_type: str) -> Descriptor:
        """Check, make durable, and show the blob."""
        if self._committed is None:
            blob = Descriptor(media_type, self._checked(), self._offset)
            try:
                with disk_errors(self._folder):
                    os.fsync(self._file)
                    self._publish(blob)
            except NacreError:
                self.restart()
                raise
            self._committed = blob
        return self._committed

    def _checked(self) -> Digest:
        digest, expected = self.digest, self._expected
        if expected and (digest != expected.digest or self._offset != expected.size):
            reason = (
                f"ended after {self._offset} of {expected.size} bytes"
                if self._offset < expected.size
                else f"has digest {digest}"
            )
            self.restart()
            raise CorruptBlob(f"blob {expected.digest} {reason}")
        return digest

    def _resume(self) -> None:
        size = os.fstat(self._file).st_size
        if not size:
            return
        if self._expected and size <= self._expected.size:
            self._read_again()
        if self._offset != size or self._is_wrong():
            self.restart()

    def _read_again(self) -> None:
        buffer = bytearray(_CHUNK)
        while count := os.preadv(self._file, [buffer], self._offset):
            self._hasher.update(memoryview(buffer)[:count])
            self._offset += count
        self._written_back = self._offset

    def _is_wrong(self) -> bool:
        """Say whether all bytes are there, yet not the right ones."""
        expected = self._expected
        return (
            expected is not None
            and self._offset == expected.size
            and self.digest != expected.digest
        )

    def _append(self, view: memoryview) -> None:
        while view:
            count = os.pwrite(self._file, view, self._offset)
            self._offset += count
            view = view[count:]
        # Have the disk begin now, so that fsync finds little left to do: a fifth of the time of
        # a large blob. The advice also offers pages up, but those on their way to the disk stay.
        behind = self._offset - self._written_back
        if behind >= _WRITEBACK:
            os.posix_fadvise(self._file, self._written_back, behind, os.POSIX_FADV_DONTNEED)
            self._written_back = self._offset
