"""Packing on the way out: plain tar layers become gzip layers, once.

A layer made here lies in the store as its raw tar (its digest is the diff_id). Registries get it
compressed. The compressed form stays in the store and is found again by diff_id, so that a second
push has the same digests and moves nothing. Config and image ID do not change.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nacre.content.documents import read_document
from nacre.layers.compression import Compression, compressor
from nacre.oci import manifest as manifests
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index

if TYPE_CHECKING:
    from nacre.engine.local import LocalStore
    from nacre.engine.local_target import LocalTarget

_PIECE = 1024 * 1024
_MOST_THREADS = 8


def with_compressed_layers(store: LocalStore, local: LocalTarget, root: Descriptor) -> Descriptor:
    """Return the image with every plain layer replaced by its gzip form; ``root`` if none is.

    What an index lists but is not here stays as it is.
    """
    if not store.exists(root):
        return root
    document = read_document(store, root)
    if isinstance(document, Index):
        children = [
            _keeping_fields(child, with_compressed_layers(store, local, child))
            for child in document.manifests
        ]
        if tuple(children) == document.manifests:
            return root
        return local.add_document(manifests.with_manifests(document, children))
    if not document.is_image:
        return root
    layers = [_compressed(store, local, layer) for layer in document.layers]
    if tuple(layers) == document.layers:
        return root
    return local.add_document(manifests.with_layers(document, layers))


def _compressed(store: LocalStore, local: LocalTarget, layer: Descriptor) -> Descriptor:
    media_type = mediatypes.compressed(layer.media_type)
    if media_type == layer.media_type:
        return layer
    for form in store.state.forms_of(layer.digest):
        if form.media_type == media_type:
            local.hold(form)
            if store.exists(form):
                return form
    return _compress(store, local, layer, media_type)


def _compress(
    store: LocalStore, local: LocalTarget, layer: Descriptor, media_type: str
) -> Descriptor:
    with (
        store.open(layer) as plain,
        local.producing() as ingest,
        compressor(Compression.GZIP, threads=_threads()) as packer,
    ):
        while piece := plain.read(_PIECE):
            ingest.write(packer.feed(piece))
        ingest.write(packer.finish())
        form = ingest.commit(media_type)
    store.state.note_layer(form, diff_id=layer.digest, size=layer.size)
    return form


def _threads() -> int:
    """Return how many threads compress one layer; the bytes do not depend on it."""
    return min(os.cpu_count() or 1, _MOST_THREADS)


def _keeping_fields(before: Descriptor, after: Descriptor) -> Descriptor:
    """Return the new child with what the index says of the old one (its platform)."""
    if before.digest == after.digest:
        return before
    return Descriptor(after.media_type, after.digest, after.size, before.fields)
