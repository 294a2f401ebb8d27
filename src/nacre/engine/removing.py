"""Remove and prune: names first, then images without a name, then bytes nobody refers to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from nacre.content import gc
from nacre.engine import filtering
from nacre.errors import Conflict, NacreError, NotFound
from nacre.oci import reference as references
from nacre.oci.chain import chain_ids
from nacre.oci.digest import Digest, id_prefix
from nacre.oci.reference import Reference
from nacre.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.catalogue import Catalogue, LocalImage
    from nacre.engine.local import LocalStore


class Untagged(Value):
    """A name no longer points at the image."""

    name: str


class Deleted(Value):
    """An image, or a layer that no other image has, is gone."""

    digest: Digest


Removal = Untagged | Deleted


class Pruned(Value):
    """The outcome of pruning."""

    removals: tuple[Removal, ...]
    reclaimed: int
    """Bytes of disk that became free."""


class _Names(Value):
    """Names of one image, each sorted: its tags, and its repositories at a digest."""

    tags: tuple[Reference, ...]
    digests: tuple[Reference, ...]


Mounts = Callable[[], Iterable[tuple[Path, Digest]]]
"""Returns the folders where images are mounted, with the IDs of their chains of layers."""


def remove(
    store: LocalStore,
    catalogue: Catalogue,
    text: str,
    *,
    force: bool,
    prune: bool,
    mounts: Mounts,
) -> list[Removal]:
    """Drop a name, and with its last name the image; an ID drops all its names.

    The last tag of a repository takes the repository's digests along. A digest takes along the
    tags of its repository that stand for just that digest.

    Args:
        store: where it is.
        catalogue: finds it.
        text: a name or an ID.
        force: drop an ID even if several repositories name the image.
        prune: free the bytes at once.
        mounts: tells what is mounted.

    Raises:
        NoSuchImage: nothing goes by that name.
        Conflict: an ID whose image several repositories name, without ``force``; or the last name
            of an image that is mounted.

    """
    # In one change: a name that somebody else gives the image meanwhile must not go with it.
    with store.state.changing():
        image = catalogue.find(text)
        going = _going(image, text, force=force)
        if going == _all_of(image):
            uses = _uses(catalogue.all())
            _check_mounts(image, uses, {chain: folder for folder, chain in mounts()})
            removals = _remove_whole(store, image, uses)
        else:
            removals = _drop(store, going)
            _forget_bare(store, image)
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
    mounts: Mounts,
) -> Pruned:
    """Remove images without a name, or all of them; then free every byte nobody refers to.

    Args:
        store: where they are.
        catalogue: finds them.
        everything: also those with names.
        filters: only the images that suit them.
        downloads: also give up downloads that were interrupted and could go on.
        mounts: tells what is mounted: such images stay.

    """
    chosen = filtering.matcher(filters, allowed=filtering.PRUNE)
    removals: list[Removal] = []
    with store.state.changing():
        images = catalogue.all()
        uses = _uses(images)
        mounted = {chain for _, chain in mounts()}
        for image in images:
            if mounted.intersection(_chain(image)[-1:]):
                continue
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
        alive = gc.reachable(roots, store.blobs) | _below_writable_tops(store)
        freed = store.blobs.discard(gc.garbage(store.blobs, alive))
        freed += store.tocs.keep_only(alive)
    store.blobs.empty_trash()
    return freed + store.blobs.sweep_ingests(resumable=downloads)


def _below_writable_tops(store: LocalStore) -> set[Digest]:
    """Return the layers, in all forms, that something was written over: images may be gone."""
    folder = store.root / "storage" / "scratch"
    if not folder.exists():
        return set()
    from nacre.storage.scratch import scratches_in  # noqa: PLC0415 - few stores have any

    layers = {layer for scratch in scratches_in(folder) for layer in scratch.chain.layers}
    return layers | {form.digest for layer in layers for form in store.state.forms_of(layer)}


def _check_mounts(image: LocalImage, uses: Counter[Digest], mounted: Mapping[Digest, Path]) -> None:
    """Refuse to remove the last image that has the layers of something mounted."""
    for chain in _chain(image)[-1:]:
        if chain in mounted and uses[chain] == 1:
            raise Conflict(
                f"conflict: unable to delete {image.id.short} (cannot be forced) - "
                f"image is mounted at {mounted[chain]}",
                remedy=f"nacre image unmount {mounted[chain]}",
            )


def _remove_whole(store: LocalStore, image: LocalImage, uses: Counter[Digest]) -> list[Removal]:
    return _drop(store, _all_of(image)) + _delete(store, image, uses)


def _drop(store: LocalStore, going: _Names) -> list[Removal]:
    for tag in going.tags:
        store.state.untag(str(tag))
    for each in going.digests:
        if each.digest:
            store.state.forget_repo_digest(each.name, each.digest)
    return [Untagged(each.familiar) for each in (*going.tags, *going.digests)]


def _forget_bare(store: LocalStore, image: LocalImage) -> None:
    """Forget those targets of an image that have lost all their names; others of it have some."""
    for record in image.records:
        left = store.state.image(record.descriptor.digest)
        had_names = record.names or record.repo_digests
        if had_names and left and not (left.names or left.repo_digests):
            store.state.remove_image(record.descriptor.digest)


def _going(image: LocalImage, text: str, *, force: bool) -> _Names:
    """Return what goes when somebody removes an image by this text."""
    reference = _as_name_of(image, text)
    if reference is None:
        _check_one_repository(image, force=force)
        return _all_of(image)
    if reference.digest:
        return _Names(_tags_at(image, reference), (reference,))
    everything = _all_of(image)
    has_another_tag = any(
        tag.name == reference.name and tag != reference for tag in everything.tags
    )
    digests = () if has_another_tag else _of(everything.digests, reference.name)
    return _Names((reference,), digests)


def _tags_at(image: LocalImage, at: Reference) -> tuple[Reference, ...]:
    """Return the tags of a repository that stand for one digest of it and for no other.

    Where layers are kept unpacked, one target may be what several digests were pulled as.
    """
    found: list[Reference] = []
    for record in image.records:
        if _of(map(references.parse, record.repo_digests), at.name) == (at,):
            found += _of(map(references.parse, record.names), at.name)
    return tuple(found)


def _of(names: Iterable[Reference], repository: str) -> tuple[Reference, ...]:
    return tuple(each for each in names if each.name == repository)


def _all_of(image: LocalImage) -> _Names:
    digests = sorted({each for record in image.records for each in record.repo_digests})
    return _Names(tuple(map(references.parse, image.names)), tuple(map(references.parse, digests)))


def _check_one_repository(image: LocalImage, *, force: bool) -> None:
    repositories = {references.parse(name).name for name in image.names}
    if len(repositories) > 1 and not force:
        raise Conflict(
            f"conflict: unable to delete {image.id.short} (must be forced) - "
            "image is referenced in multiple repositories",
            remedy="give a name, or --force",
        )


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
