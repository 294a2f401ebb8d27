"""Digests of uploads: the running hash that one process has, and reading again where none has it.

A hash of Python's cannot be written down, so it is kept by upload and offset for the next request
of that upload. Whoever does not find it there (another process, another algorithm, too many
uploads at once) reads the bytes again when the digest is asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from nacre.hub.errors import Busy
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.threads import in_thread
from nacre.oci.digest import Digest, finished, hasher

if TYPE_CHECKING:
    from nacre.oci.digest import Hasher

_PIECE = 1 << 20
_PIECES_AT_ONCE = 64


class Running:
    """The hash of the first ``offset`` bytes of something, by one algorithm."""

    __slots__ = ("_hasher", "algorithm", "offset")

    def __init__(self, algorithm: str = "sha256") -> None:
        self.algorithm = algorithm
        self.offset = 0
        self._hasher: Hasher = hasher(algorithm)

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take in the next bytes."""
        self._hasher.update(data)
        self.offset += len(data)

    @property
    def digest(self) -> Digest:
        """The digest of the bytes so far."""
        return finished(self._hasher, self.algorithm)


class RunningHashes:
    """The running hashes of uploads between their requests; the oldest give way."""

    def __init__(self, *, limit: int = 1024) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, Running] = OrderedDict()

    def take(self, upload: str, offset: int, algorithm: str) -> Running | None:
        """Return the hash of an upload up to ``offset`` to go on with, or None."""
        found = self._kept.pop(upload, None)
        if found is not None and (found.offset, found.algorithm) == (offset, algorithm):
            return found
        return Running(algorithm) if offset == 0 else None

    def keep(self, upload: str, running: Running) -> None:
        """Keep a hash for the next request."""
        self._kept[upload] = running
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)


async def read_again(
    place: BytePlace, key: str, size: int, algorithm: str, *, check: Callable[[], None]
) -> Digest:
    """Return the digest of the first ``size`` bytes of a key; ``check`` may raise to stop.

    Raises:
        Busy: fewer bytes are there.
    """
    running = Running(algorithm)
    source = await in_thread(place.open, key)
    try:
        while running.offset < size:
            check()
            before = running.offset
            await in_thread(_read_some, source.read, running, size)
            if running.offset == before:
                raise Busy("bytes of the upload were lost", remedy="start it again")
    finally:
        await in_thread(source.close)
    return running.digest


def _read_some(read: Callable[[int], bytes], running: Running, size: int) -> None:
    for _ in range(_PIECES_AT_ONCE):
        piece = read(min(_PIECE, size - running.offset))
        if not piece:
            return
        running.update(piece)
