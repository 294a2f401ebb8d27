"""A changed tree becomes an image of one layer in an OCI layout, by nacre; a program of its own.

usage: python -m bench.kit.pack UPPER LAYOUT {gzip,none}
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.store import Ingest
from nacre.images.edit import new_image
from nacre.layers.compression import Compression, compressor
from nacre.layers.compression.compress import Compressor
from nacre.layers.diff import upper_changes, write_layer
from nacre.layers.rootpath import Root
from nacre.layers.union import union
from nacre.layers.whiteout import Overlay
from nacre.oci import mediatypes
from nacre.oci.config import ImageConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest
from nacre.oci.platform import Platform
from nacre.storage.lower import UnionLower
from nacre.transports.layout import LayoutStore

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_PIECE = 1024 * 1024


class Packing(io.RawIOBase):
    """Takes a tar, hashes it, compresses it and writes the blob."""

    def __init__(self, ingest: Ingest, packer: Compressor) -> None:
        super().__init__()
        self._hash = hashlib.sha256(usedforsecurity=False)
        self._ingest = ingest
        self._packer = packer

    def writable(self) -> bool:
        """Say that it is written to."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Take the next bytes."""
        piece = bytes(data)
        self._hash.update(piece)
        self._ingest.write(self._packer.feed(piece))
        return len(piece)

    def finish(self, media_type: str) -> tuple[Descriptor, Digest]:
        """Return the layer and its diff ID."""
        self._ingest.write(self._packer.finish())
        return self._ingest.commit(media_type), Digest(f"sha256:{self._hash.hexdigest()}")


def main() -> None:
    """Do it."""
    upper, folder, compression = sys.argv[1:]
    layout = LayoutStore(Path(folder))
    blobs = FilesystemBlobs(Path(folder))
    is_packed = compression == "gzip"
    media_type = mediatypes.OCI_LAYER_GZIP if is_packed else mediatypes.OCI_LAYER_TAR
    kind = Compression.GZIP if is_packed else Compression.NONE
    with (
        Root.open(upper) as root,
        blobs.ingest() as ingest,
        compressor(kind, threads=os.cpu_count() or 1) as packer,
    ):
        packing = Packing(ingest, packer)
        with io.BufferedWriter(packing, _PIECE) as out:
            changes = upper_changes(root, UnionLower(union([])))
            write_layer(out, root, changes, overlay=Overlay.TRUSTED)
            out.flush()
            layer, diff_id = packing.finish(media_type)
    config, manifest = new_image(
        layer, created="2026-01-01T00:00:00Z", platform=Platform("linux", "amd64"), diff_id=diff_id
    )
    _put(blobs, Descriptor.of(mediatypes.OCI_CONFIG, config.raw), config)
    _put(blobs, manifest.descriptor, manifest)
    layout.tag("bench", manifest.descriptor)


def _put(blobs: FilesystemBlobs, descriptor: Descriptor, document: ImageConfig | Manifest) -> None:
    with blobs.ingest(descriptor) as ingest:
        ingest.write(document.raw)
        ingest.commit(descriptor.media_type)


if __name__ == "__main__":
    main()
