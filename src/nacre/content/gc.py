"""Garbage collection, the deciding half: what is alive, and what therefore is not.

Whoever collects keeps others from tagging and holding meanwhile, marks, and then sweeps::

    with state.collecting() as roots:
        blobs.discard(garbage(blobs, reachable(roots, blobs)))
    blobs.empty_trash()
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from nacre.content.documents import read_bytes, read_document
from nacre.content.store import BlobNotFound, BlobStore, CorruptBlob
from nacre.errors import Invalid, Unsupported
from nacre.oci import config as configs
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.graph import successors
from nacre.oci.mediatypes import IMAGE_CONFIGS
from nacre.value import replace


def reachable(roots: Iterable[Descriptor], blobs: BlobStore) -> set[Digest]:
    """Return the digests of the roots and of all that they refer to, however indirectly.

    Content that is not here (the platforms that were not pulled, a layer still to come) counts as
    alive and leads nowhere. So does a manifest that cannot be understood. The config of an image
    leads to its diff_ids: whatever is kept of a layer besides the form that the manifest names,
    above all its raw tar, lives as long as an image that has the layer.

    Raises:
        CorruptBlob: a manifest is damaged: what it kept alive is unknown, so nothing is garbage.
    """
    # Descriptors may lie about the type: to have met a digest as a layer is not to have read it.
    met: set[tuple[Digest, str]] = set()
    unpacked: set[Digest] = set()
    waiting = list(roots)
    while waiting:
        descriptor = waiting.pop()
        key = (descriptor.digest, descriptor.media_type)
        if key in met:
            continue
        met.add(key)
        if descriptor.is_manifest:
            waiting.extend(_children(descriptor, blobs))
        elif descriptor.media_type in IMAGE_CONFIGS:
            unpacked.update(_diff_ids(descriptor, blobs))
    return unpacked.union(digest for digest, _ in met)


def garbage(present: Iterable[Digest], alive: Container[Digest]) -> list[Digest]:
    """Return the blobs that nothing alive needs, sorted."""
    return sorted(digest for digest in present if digest not in alive)


def _children(descriptor: Descriptor, blobs: BlobStore) -> tuple[Descriptor, ...]:
    try:
        return successors(read_document(blobs, _actual(descriptor, blobs)))
    except CorruptBlob as error:
        raise CorruptBlob(
            f"cannot tell what is garbage: {error}",
            remedy="remove the image that it belongs to, then pull it again",
        ) from error
    except (BlobNotFound, Invalid, Unsupported):
        return ()


def _diff_ids(config: Descriptor, blobs: BlobStore) -> tuple[Digest, ...]:
    # Without a sound config there is no image, and a tar that no image has is of no use.
    try:
        return configs.parse(read_bytes(blobs, _actual(config, blobs))).diff_ids
    except (BlobNotFound, Invalid, Unsupported):
        return ()


def _actual(descriptor: Descriptor, blobs: BlobStore) -> Descriptor:
    # A descriptor that lies about the size must not make sound content look damaged.
    return replace(descriptor, size=blobs.size(descriptor.digest))
