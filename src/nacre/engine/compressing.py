"""Layers in another form: compressed on the way out, or as raw tars where those are enough.

A layer made here lies in the store as its raw tar (its digest is the diff_id). Registries get it
compressed. The compressed form stays in the store and is found again by diff_id, so that a second
push has the same digests and moves nothing. Config and image ID do not change.

With the setting ``keep = "unpacked"`` an image that was pulled becomes one of raw tars, too. If a
registry still has a layer in the form in which it was pulled, a push finds it there; otherwise it
is compressed anew, and the manifest's digest is another.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
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


Change = Callable[[Descriptor], Descriptor]
"""Returns another form of a layer, or the same one."""

Has = Callable[[Descriptor], bool]
"""Says whether the other side has a blob."""


def with_compressed_layers(
    store: LocalStore, local: LocalTarget, root: Descriptor, *, elsewhere: Has
) -> Descriptor:
    """Return the image with every plain layer replaced by a packed form; ``root`` if none is.

    What an index lists but is not here stays as it is.

    Args:
        store: where the image is.
        local: takes in what is made.
        root: a manifest or an index.
        elsewhere: says whether the registry has a form that is known, but not here any more.
    """
    return _changed(store, local, root, partial(_compressed, store, local, elsewhere))


def with_plain_layers(store: LocalStore, local: LocalTarget, root: Descriptor) -> Descriptor:
    """Return the image with every layer replaced by its raw tar; ``root`` if none is.

    What an index lists but is not here stays as it is, and so do foreign layers.
    """
    return _changed(store, local, root, partial(_plain, store, local))


def _changed(store: LocalStore, local: LocalTarget, root: Descriptor, change: Change) -> Descriptor:
    if not store.exists(root):
        return root
    document = read_document(store, root)
    if isinstance(document, Index):
        children = [
            _keeping_fields(child, _changed(store, local, child, change))
            for child in document.manifests
        ]
        if tuple(children) == document.manifests:
            return root
        return local.add_document(manifests.with_manifests(document, children))
    if not document.is_image:
        return root
    layers = [change(layer) for layer in document.layers]
    if tuple(layers) == document.layers:
        return root
    return local.add_document(manifests.with_layers(document, layers))


def _compressed(
    store: LocalStore, local: LocalTarget, elsewhere: Has, layer: Descriptor
) -> Descriptor:
    forms = mediatypes.packed_forms(layer.media_type)
    if not forms:
        return layer
    known = [form for form in store.state.forms_of(layer.digest) if form.media_type in forms]
    for form in known:
        local.hold(form)
        if store.exists(form):
            return form
    for form in known:
        if elsewhere(form):
            return form
    return _compress(store, local, layer, forms[0])


def _plain(store: LocalStore, local: LocalTarget, layer: Descriptor) -> Descriptor:
    diff_id = store.state.diff_id_of(layer.digest)
    media_type = mediatypes.plain(layer.media_type)
    if diff_id is None or media_type == layer.media_type:
        return layer
    size = store.state.layer_size(diff_id)
    if size is None:
        return layer
    tar = Descriptor(media_type, diff_id, size)
    local.hold(tar)
    store.layers.tar(diff_id)
    store.state.note_layer(tar, diff_id=diff_id, size=size)
    return tar


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
