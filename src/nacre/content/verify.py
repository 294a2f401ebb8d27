"""Reading that checks: no byte beyond the promised size, and none of the last before the digest."""

from __future__ import annotations

import io

from nacre.content.errors import CorruptBlob
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import finished

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Protocol

    class _Source(Protocol):
        def read(self, size: int, /) -> bytes | None: ...
        def readinto(self, buffer: memoryview, /) -> int | None: ...
        def close(self) -> None: ...


_CHUNK = 1024 * 1024


class VerifyingReader(io.RawIOBase):
    """A stream that raises `CorruptBlob` unless it is what a descriptor says.

    The check happens when the last promised byte arrives, before it is handed on, so whoever
    has all bytes has checked bytes, also when the end of the stream was never looked at. Closing
    early checks nothing. Closing closes ``source``, which must offer ``read`` and ``readinto``.
    """

    def __init__(self, source: BinaryIO, descriptor: Descriptor) -> None:
        super().__init__()
        self._source: _Source = source  # type: ignore[assignment] # as the docstring asks
        self._descriptor = descriptor
        self._hasher = descriptor.digest.hasher()
        self._remaining = descriptor.size
        self._checked = False
        self._error: CorruptBlob | None = None

    def readable(self) -> bool:
        """Say that this can be read from."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, or all that are left.

        Raises:
            CorruptBlob: the bytes are too few, too many or others than promised.
        """
        if size < 0:
            return self.readall()
        wanted = min(size, self._remaining)
        data = self._source.read(wanted) or b"" if wanted else b""
        if size:
            self._account(data)
        return data

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill ``buffer`` as far as there are bytes at hand and return how many.

        Raises:
            CorruptBlob: the bytes are too few, too many or others than promised.
        """
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._remaining)
        count = (self._source.readinto(view[:wanted]) or 0) if wanted else 0
        if len(view):
            self._account(view[:count])
        return count

    def readall(self) -> bytes:
        """Return all that is left; see ``read``."""
        chunks = []
        while data := self.read(_CHUNK):
            chunks.append(data)
        return b"".join(chunks)

    def close(self) -> None:
        """Close the source too."""
        if not self.closed:
            self._source.close()
        super().close()

    def _account(self, data: bytes | memoryview) -> None:
        if self._error:
            raise self._error
        if self._remaining and not data:
            arrived = self._descriptor.size - self._remaining
            self._fail(f"ended after {arrived} of {self._descriptor.size} bytes")
        self._hasher.update(data)
        self._remaining -= len(data)
        if not self._remaining and not self._checked:
            self._check()

    def _check(self) -> None:
        if self._source.read(1):
            self._fail(f"is longer than its {self._descriptor.size} bytes")
        digest = self._descriptor.digest
        actual = finished(self._hasher, digest.algorithm)
        if actual != digest:
            self._fail(f"has digest {actual}")
        self._checked = True

    def _fail(self, reason: str) -> None:
        self._error = CorruptBlob(f"blob {self._descriptor.digest} {reason}")
        raise self._error


def verified(source: BinaryIO, descriptor: Descriptor) -> BinaryIO:
    """Return the stream, checked as `VerifyingReader` does."""
    return VerifyingReader(source, descriptor)  # type: ignore[return-value] # it only reads
