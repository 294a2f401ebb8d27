"""Import: an image of one layer from a root file system's tar."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from nacre.images.edit import new_image
from nacre.layers.compression import open_decompressed
from nacre.layers.tar import Scanner
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.timestamp import format_rfc3339

if TYPE_CHECKING:
    from nacre.engine.local import LocalStore, LocalTarget
    from nacre.oci.descriptor import Descriptor
    from nacre.oci.platform import Platform
    from nacre.oci.reference import Reference

_PIECE = 1024 * 1024


def import_image(
    store: LocalStore,
    source: BinaryIO,
    *,
    reference: Reference | None,
    changes: Sequence[str],
    message: str,
    platform: Platform,
) -> Digest:
    """Store the tar as a layer, make an image of it, name it, and return its ID.

    Raises:
        Invalid: the stream is no tar, or a change is no instruction.
    """
    with store.writing() as local:
        layer = _store_layer(local, source)
        store.state.note_layer(layer, diff_id=layer.digest, size=layer.size)
        config, manifest = new_image(
            layer,
            created=format_rfc3339(time.time_ns()),
            comment=message or "Imported from -",
            platform=platform,
            changes=changes,
        )
        local.add_document(config)
        root = local.add_document(manifest)
        if reference:
            local.tag(str(reference), root)
        else:
            local.add(root)
    return config.digest


def _store_layer(local: LocalTarget, source: BinaryIO) -> Descriptor:
    """Keep the plain tar, every header of it checked on the way."""
    scanner = Scanner()
    with (
        open_decompressed(source) as tar,
        local.producing() as ingest,
    ):
        while piece := tar.read(_PIECE):
            scanner.feed(piece)
            ingest.write(piece)
        scanner.finish()
        return ingest.commit(mediatypes.OCI_LAYER_TAR)
