"""Disk use: what each image takes, in which forms, and what others have too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nacre.content import gc
from nacre.content.store import BlobNotFound
from nacre.errors import NacreError
from nacre.oci import mediatypes
from nacre.storage.chain import Chain

if TYPE_CHECKING:
    from nacre.engine.catalogue import LocalImage
    from nacre.engine.parts import Parts
    from nacre.oci.descriptor import Descriptor
    from nacre.oci.digest import Digest

Sizes = Mapping["Digest", int]
"""Bytes on disk by the digest of a blob, or by the ID of a layer or of a chain."""


@dataclass(frozen=True, slots=True)
class ImageUse:
    """The disk that one image takes, in bytes as they lie."""

    image: LocalImage
    shared: int
    """Bytes that other images have too."""
    unique: int
    """Bytes that would become free with this image."""
    compressed: int
    """Bytes of its layers as they travel: part of the two above."""
    unpacked: int
    """Bytes of its layers as they are used, raw tars or folders, and of the tree made of them:
    part of the first two as well."""


@dataclass(frozen=True, slots=True)
class DiskUse:
    """The disk that the store takes, in bytes."""

    images: tuple[ImageUse, ...]
    size: int
    """All together, each byte once."""
    unreferenced: int
    """Blobs that no image has: what ``system prune`` frees at once."""


def disk_use(parts: Parts) -> DiskUse:
    """Return what the images of a store take."""
    images = parts.catalogue.all()
    held = [_held(parts, image) for image in images]
    owners = Counter(digest for each in held for digest in each)
    blobs = _blob_sizes(parts)
    made = _made_sizes(parts, images)
    sizes = Counter(blobs) + Counter(made)
    uses = [
        _use(parts, image, each, owners, sizes) for image, each in zip(images, held, strict=True)
    ]
    return DiskUse(
        tuple(uses),
        size=sizes.total(),
        unreferenced=sum(size for digest, size in blobs.items() if digest not in owners),
    )


def _use(
    parts: Parts, image: LocalImage, held: set[Digest], owners: Mapping[Digest, int], sizes: Sizes
) -> ImageUse:
    total = sum(sizes.get(digest, 0) for digest in held)
    unique = sum(sizes.get(digest, 0) for digest in held if owners[digest] == 1)
    diff_ids = set(_chain(image).layers)
    packed = {
        blob.digest
        for root in _roots(parts, image)
        for blob in parts.store.blobs_of(root)
        if mediatypes.is_layer(blob.media_type) and blob.digest not in diff_ids
    }
    used = {*diff_ids, _chain(image).id}
    return ImageUse(
        image,
        shared=total - unique,
        unique=unique,
        compressed=sum(sizes.get(digest, 0) for digest in packed),
        unpacked=sum(sizes.get(digest, 0) for digest in used),
    )


def _held(parts: Parts, image: LocalImage) -> set[Digest]:
    """Return the blobs of an image, its layers and the tree made of them."""
    held = gc.reachable(_roots(parts, image), parts.store.blobs)
    return held | {_chain(image).id}


def _roots(parts: Parts, image: LocalImage) -> Iterator[Descriptor]:
    """Go through what an image is here as, the forms in which it was pushed included."""
    for record in image.records:
        yield record.descriptor
        yield from parts.store.state.pushed_as(record.descriptor.digest)


def _chain(image: LocalImage) -> Chain:
    try:
        return Chain.of(image.view.diff_ids)
    except NacreError:  # incomplete, damaged, or no image
        return Chain(())


def _blob_sizes(parts: Parts) -> Sizes:
    blobs = parts.store.blobs
    sizes: dict[Digest, int] = {}
    for digest in blobs:
        with suppress(BlobNotFound):  # somebody prunes meanwhile
            sizes[digest] = blobs.size(digest)
    return sizes


def _made_sizes(parts: Parts, images: Iterable[LocalImage]) -> Sizes:
    """Return what storage drivers have made of layers and of chains, besides blobs."""
    if not (parts.settings.root / "storage").exists():
        return {}
    chains = {_chain(image) for image in images}
    sizes = {layer: parts.storage.size(layer) for chain in chains for layer in chain.layers}
    trees = Counter({chain.id: parts.storage.tree_size(chain) for chain in chains})
    return trees + Counter(sizes)  # the chain of one layer has the ID of that layer
