"""Remove and prune: names first, then images without a name, then bytes nobody refers to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nacre.content import gc
from nacre.engine import filtering
from nacre.errors import Conflict, NacreError, NotFound
from nacre.oci import reference as references
from nacre.oci.chain import chain_ids
from nacre.oci.digest import Digest, id_prefix
from nacre.oci.reference import Reference

if TYPE_CHECKING:
    from nacre.engine.catalogue import Catalogue, LocalImage
    from nacre.engine.local import LocalStore


@dataclass(frozen=True, slots=True)
class Untagged:
    """A name no longer points at the image."""

    name: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """An image, or a layer that no other image has, is gone."""

    digest: Digest


Removal = Untagged | Deleted


@dataclass(frozen=True, slots=True)
class Pruned:
    """The outcome of pruning."""

    removals: tuple[Removal, ...]
    reclaimed: int
    """Bytes of disk that became free."""


def remove(
    store: LocalStore, catalogue: Catalogue, text: str, *, force: bool, prune: bool
) -> list[Removal]:
    """Drop a name, and with its last name the image; an ID drops all its names.

    Args:
        store: where it is.
        catalogue: finds it.
        text: a name or an ID.
        force: drop an ID even if several repositories name the image.
        prune: free the bytes at once.

    Raises:
        NoSuchImage: nothing goes by that name.
        Conflict: an ID whose image several repositories name, without ``force``.

    """
    # In one change: a name that somebody else gives the image meanwhile must not go with it.
    with store.state.changing():
        image = catalogue.find(text)
        names = _names_to_drop(image, text, force=force)
        remaining = [name for name in image.names if name not in names]
        removals = _untag(store, names)
        removals += _forget_digests(store, image, names, remaining)
        if not remaining:
            removals += _delete(store, image, _uses(catalogue.all()))
    store.publish()
    if prune:
        collect(store)
    return removals


def prune(
    store: LocalStore,
    catalogue: Catalogue,
    *,
    everything: bool,
    filters: Iterable[str],
    downloads: bool,
) -> Pruned:
    """Remove images without a name, or all of them; then free every byte nobody refers to.

    Args:
        store: where they are.
        catalogue: finds them.
        everything: also those with names.
        filters: only the images that suit them.
        downloads: also give up downloads that were interrupted and could go on.

    """
    chosen = filtering.matcher(filters, allowed=filtering.PRUNE)
    removals: list[Removal] = []
    with store.state.changing():
        images = catalogue.all()
        uses = _uses(images)
        for image in images:
            if (everything or image.is_dangling) and chosen(image):
                removals += _remove_whole(store, image, uses)
    store.publish()
    return Pruned(tuple(removals), collect(store, downloads=downloads))


def collect(store: LocalStore, *, downloads: bool = False) -> int:
    """Free the bytes that no image, no lease and no unfinished download refers to.

    Args:
        store: where they are.
        downloads: also those of downloads that were interrupted and could go on.

    Returns:
        how many bytes became free.

    """
    with store.state.collecting() as roots:
        doomed = gc.garbage(store.blobs, gc.reachable(roots, store.blobs))
        freed = store.blobs.discard(doomed)
    store.blobs.empty_trash()
    return freed + store.blobs.sweep_ingests(resumable=downloads)


def _remove_whole(store: LocalStore, image: LocalImage, uses: Counter[Digest]) -> list[Removal]:
    removals = _untag(store, image.names)
    removals += _forget_digests(store, image, image.names, [])
    return removals + _delete(store, image, uses)


def _untag(store: LocalStore, names: Iterable[str]) -> list[Removal]:
    removals: list[Removal] = []
    for name in names:
        store.state.untag(name)
        removals.append(Untagged(references.parse(name).familiar))
    return removals


def _names_to_drop(image: LocalImage, text: str, *, force: bool) -> tuple[str, ...]:
    reference = _as_name_of(image, text)
    if reference and reference.tag:
        return (str(reference),)
    if reference:  # a digest: all tags of that repository
        return tuple(name for name in image.names if references.parse(name).name == reference.name)
    repositories = {references.parse(name).name for name in image.names}
    if len(repositories) > 1 and not force:
        raise Conflict(
            f"conflict: unable to delete {image.id.short} (must be forced) - "
            "image is referenced in multiple repositories",
            remedy="give a name, or --force",
        )
    return image.names


def _as_name_of(image: LocalImage, text: str) -> Reference | None:
    """Return the reference by which ``text`` names the image, or None when it is an ID."""
    try:
        reference = references.parse_tagged(text).pinned()
    except NotFound:
        return None
    except references.InvalidReference:
        return None
    if reference.digest:
        return reference
    is_id = id_prefix(text) is not None and str(reference) not in image.names
    return None if is_id else reference


def _forget_digests(
    store: LocalStore, image: LocalImage, dropped: Iterable[str], remaining: Iterable[str]
) -> list[Removal]:
    """Drop ``repo@digest`` of every repository that has no tag left."""
    kept = {references.parse(name).name for name in remaining}
    gone = {references.parse(name).name for name in dropped} - kept
    removals: list[Removal] = []
    for full in sorted({each for record in image.records for each in record.repo_digests}):
        reference = references.parse(full)
        if reference.digest and (reference.name in gone or not kept):
            store.state.forget_repo_digest(reference.name, reference.digest)
            removals.append(Untagged(reference.familiar))
    return removals


def _delete(store: LocalStore, image: LocalImage, uses: Counter[Digest]) -> list[Removal]:
    """Forget an image; a layer is told to be gone with the last image that has it."""
    for record in image.records:
        store.state.remove_image(record.descriptor.digest)
    chain = _chain(image)
    uses.subtract(chain)
    return [Deleted(image.id), *(Deleted(each) for each in reversed(chain) if not uses[each])]


def _uses(images: Iterable[LocalImage]) -> Counter[Digest]:
    """Return how many images have each stack of layers."""
    return Counter(each for image in images for each in _chain(image))


def _chain(image: LocalImage) -> tuple[Digest, ...]:
    try:
        return chain_ids(image.view.diff_ids)
    except NacreError:  # incomplete or damaged: all the more reason to let it be removed
        return ()
