"""Garbage collection, the deciding half: what is alive, and what therefore is not.

Whoever collects keeps others from tagging and holding meanwhile, marks, and then sweeps::

    with state.collecting() as roots:
        blobs.discard(garbage(blobs, reachable(roots, blobs)))
    blobs.empty_trash()
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace

from nacre.content.documents import read_document
from nacre.content.store import BlobNotFound, BlobStore, CorruptBlob
from nacre.errors import Invalid, Unsupported
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.graph import successors


def reachable(roots: Iterable[Descriptor], blobs: BlobStore) -> set[Digest]:
    """Return the digests of the roots and of all that they refer to, however indirectly.

    Content that is not here (the platforms that were not pulled, a layer still to come) counts as
    alive and leads nowhere. So does a manifest that cannot be understood.

    Raises:
        CorruptBlob: a manifest is damaged: what it kept alive is unknown, so nothing is garbage.
    """
    # Descriptors may lie about the type: to have met a digest as a layer is not to have read it.
    met: set[tuple[Digest, str]] = set()
    waiting = list(roots)
    while waiting:
        descriptor = waiting.pop()
        key = (descriptor.digest, descriptor.media_type)
        if key in met:
            continue
        met.add(key)
        if descriptor.is_manifest:
            waiting.extend(_children(descriptor, blobs))
    return {digest for digest, _ in met}


def garbage(present: Iterable[Digest], alive: Container[Digest]) -> list[Digest]:
    """Return the blobs that nothing alive needs, sorted."""
    return sorted(digest for digest in present if digest not in alive)


def _children(descriptor: Descriptor, blobs: BlobStore) -> tuple[Descriptor, ...]:
    try:
        # A descriptor that lies about the size must not make sound content look damaged.
        actual = replace(descriptor, size=blobs.size(descriptor.digest))
        return successors(read_document(blobs, actual))
    except CorruptBlob as error:
        raise CorruptBlob(
            f"cannot tell what is garbage: {error}",
            remedy="remove the image that it belongs to, then pull it again",
        ) from error
    except (BlobNotFound, Invalid, Unsupported):
        return ()
