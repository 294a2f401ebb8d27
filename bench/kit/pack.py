"""A changed tree becomes an image of one layer in an OCI layout, by nacre; a program of its own.

usage: python -m bench.kit.pack UPPER LAYOUT {gzip,none}
"""

from __future__ import annotations

import sys
from pathlib import Path

from nacre.content.filesystem import FilesystemBlobs
from nacre.images.edit import new_image
from nacre.images.pack import packing
from nacre.layers.diff import upper_changes, write_layer
from nacre.layers.rootpath import Root
from nacre.layers.tar.pieces import Sink
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


def main() -> None:
    """Do it."""
    upper, folder, compression = sys.argv[1:]
    layout = LayoutStore(Path(folder))
    blobs = FilesystemBlobs(Path(folder))
    pack = _gzip if compression == "gzip" else _plain
    layer, diff_id = pack(upper, blobs)
    config, manifest = new_image(
        layer, created="2026-01-01T00:00:00Z", platform=Platform("linux", "amd64"), diff_id=diff_id
    )
    _put(blobs, Descriptor.of(mediatypes.OCI_CONFIG, config.raw), config)
    _put(blobs, manifest.descriptor, manifest)
    layout.tag("bench", manifest.descriptor)


def _gzip(upper: str, blobs: FilesystemBlobs) -> tuple[Descriptor, Digest]:
    with blobs.ingest() as ingest, packing(ingest) as packer:
        _write(upper, packer)
        layer = packer.finish()
        return layer.blob, layer.diff_id


def _plain(upper: str, blobs: FilesystemBlobs) -> tuple[Descriptor, Digest]:
    with blobs.ingest() as ingest:
        _write(upper, ingest)
        layer = ingest.commit(mediatypes.OCI_LAYER_TAR)
        return layer, layer.digest


def _write(upper: str, out: Sink) -> None:
    with Root.open(upper) as root:
        changes = upper_changes(root, UnionLower(union([])))
        write_layer(out, root, changes, overlay=Overlay.TRUSTED)


def _put(blobs: FilesystemBlobs, descriptor: Descriptor, document: ImageConfig | Manifest) -> None:
    with blobs.ingest(descriptor) as ingest:
        ingest.write(document.raw)
        ingest.commit(descriptor.media_type)


if __name__ == "__main__":
    main()
