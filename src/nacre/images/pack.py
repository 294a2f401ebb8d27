"""A tar becomes the blob of a layer as it passes: hashed, compressed, hashed again and written.

Each of these has a thread of its own, if there are processors for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from nacre.content.hashing import OverlappingHasher, Processors
from nacre.content.store import Ingest
from nacre.layers.compression import Compression, Level, compressor
from nacre.layers.compression.compress import Compressor
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest, finished

_MEDIA_TYPES = {
    Compression.NONE: mediatypes.OCI_LAYER_TAR,
    Compression.GZIP: mediatypes.OCI_LAYER_GZIP,
    Compression.ZSTD: mediatypes.OCI_LAYER_ZSTD,
}
_ALGORITHM = "sha256"
_MOST_THREADS = 8


class PackedLayer(NamedTuple):
    """A layer that was packed."""

    blob: Descriptor
    diff_id: Digest
    """Digest of its tar."""
    size: int
    """Bytes of its tar."""


class LayerPacker:
    """Is fed a tar; see `packing`."""

    def __init__(
        self, ingest: Ingest, compressor: Compressor, hasher: OverlappingHasher, media_type: str
    ) -> None:
        self._ingest = ingest
        self._compressor = compressor
        self._hasher = hasher
        self._media_type = media_type
        self._size = 0

    def write(self, piece: bytes, /) -> int:
        """Take the next bytes of the tar; pieces of a megabyte suit best.

        Raises:
            Unavailable: the disk is full or failed.
        """
        self._hasher.update(piece)
        self._write(self._compressor.feed(piece))
        self._size += len(piece)
        return len(piece)

    def finish(self) -> PackedLayer:
        """Say that the tar is complete; make the layer durable and return it.

        Raises:
            Unavailable: the disk is full or failed.
        """
        self._write(self._compressor.finish())
        blob = self._ingest.commit(self._media_type)
        return PackedLayer(blob, finished(self._hasher, _ALGORITHM), self._size)

    def _write(self, packed: bytes) -> None:
        if packed:
            self._ingest.write(packed)


@contextmanager
def packing(
    ingest: Ingest,
    compression: Compression = Compression.GZIP,
    level: Level = Level.DEFAULT,
) -> Iterator[LayerPacker]:
    """Give what packs a layer into a blob that is being written.

    A layer that stays a plain tar needs none of this: its tar is its blob, the digest its diff ID,
    and the ingest itself takes it.

    Args:
        ingest: where the blob goes; empty.
        compression: the form of the layer.
        level: how hard to compress.

    Raises:
        Unsupported: layers cannot have that form.
    """
    processors = os.cpu_count() or 1
    with (
        compressor(compression, level, threads=min(processors, _MOST_THREADS)) as packer,
        closing(OverlappingHasher(_ALGORITHM, Processors(processors))) as hasher,
    ):
        yield LayerPacker(ingest, packer, hasher, _MEDIA_TYPES[compression])
