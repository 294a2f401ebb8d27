"""Save: images of this machine as one archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nacre.oci import reference as references
from nacre.oci.reference import InvalidReference
from nacre.transports.archive_target import writing_archive
from nacre.transports.copy import copy_many
from nacre.transports.walk import PRESENT

if TYPE_CHECKING:
    from nacre.engine.catalogue import Catalogue, LocalImage
    from nacre.engine.local import LocalStore
    from nacre.oci.platform import Platform
    from nacre.transports.events import OnEvent


def save(
    store: LocalStore,
    catalogue: Catalogue,
    names: Sequence[str],
    destination: Path | BinaryIO,
    *,
    platform: Platform | None,
    on_event: OnEvent,
) -> None:
    """Write images into one archive; see `Images.save`.

    A repository stands for all its tags. An image that was named by ID goes without a name.

    Raises:
        NoSuchImage: one of them is not here; nothing is written then.
    """
    images = {name: catalogue.find(name) for name in _with_all_tags(store, names)}
    roots = {name: image.records[0].descriptor for name, image in images.items()}
    pairs = [(name, _archived_name(name, image)) for name, image in images.items()]
    with (
        store.writing() as local,
        writing_archive(destination, docker=True, platform=platform) as target,
    ):
        for root in roots.values():
            local.hold(root)
        copy_many(
            store.at(roots),
            pairs,
            target,
            platforms=[platform] if platform else PRESENT,
            on_event=on_event,
        )


def _with_all_tags(store: LocalStore, names: Iterable[str]) -> list[str]:
    """Return the names, in place of a repository every tag that is here of it; each once."""
    wanted = (each for name in names for each in _tags_of(store, name) or [name])
    return list(dict.fromkeys(wanted))


def _tags_of(store: LocalStore, name: str) -> list[str]:
    """Return the tags of the repository that the name is, if it is one; it may be an ID."""
    try:
        reference = references.parse(name)
    except InvalidReference:
        return []
    if reference.tag or reference.digest:
        return []
    return [each.familiar for each in store.tags_of(reference)]


def _archived_name(text: str, image: LocalImage) -> str:
    """Return the name that the text is; most IDs could be names too, so it must be one here."""
    try:
        full = str(references.parse_tagged(text))
    except InvalidReference:
        return ""
    return full if full in image.names else ""
