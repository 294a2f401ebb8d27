"""Raw tars that are kept in memory: the twin of those that are blobs of a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nacre.oci.digest import Digest

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from nacre.layers.toc import Toc


class MemoryTars:
    """``RawTars`` in memory; see `nacre.storage.erofs.driver`."""

    def __init__(self) -> None:
        self._tars: dict[Digest, bytes] = {}

    def size(self, layer: Digest) -> int:
        """Return how many bytes a raw tar has; 0 for one that is not here."""
        return len(self._tars.get(layer, b""))

    @contextmanager
    def sink(self) -> Iterator[MemorySink]:
        """Enter the intake of a raw tar."""
        yield MemorySink(self._tars)


class MemorySink:
    """Takes in one raw tar."""

    def __init__(self, tars: dict[Digest, bytes]) -> None:
        self._tars = tars
        self._data = bytearray()

    def write(self, data: Buffer) -> None:
        """Take the next bytes."""
        self._data += data

    def commit(self, toc: Toc) -> None:
        """Keep what was taken."""
        assert toc.layer == Digest.of(self._data)
        self._tars[toc.layer] = bytes(self._data)
