"""Load: every image of an archive into the local store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nacre.engine.tagging import is_ambiguous
from nacre.oci import reference as references
from nacre.transports import naming
from nacre.transports.archive import ArchiveSource, reading_archive
from nacre.transports.copy import copy_many
from nacre.transports.walk import ALL

if TYPE_CHECKING:
    from nacre.engine.local import LocalStore
    from nacre.oci.digest import Digest
    from nacre.oci.platform import Platform
    from nacre.oci.reference import Reference
    from nacre.transports.events import OnEvent


@dataclass(frozen=True, slots=True)
class Loaded:
    """One image that came from an archive."""

    id: Digest

    name: str
    """A name it has now, as Docker shows it, or "" when the archive gives it none."""


def load(
    store: LocalStore,
    source: Path | BinaryIO,
    *,
    platforms: Sequence[Platform] | None,
    on_event: OnEvent,
) -> list[Loaded]:
    """Add every image of an archive; names move to what the archive says.

    With ``platforms`` only what is for them, which every image of the archive must offer.

    Raises:
        NotFound: there is no such file, or nothing for a platform in it.
        Invalid: it is no archive of images, or an image in it is broken; nothing is added then.
    """
    loaded: list[Loaded] = []
    with reading_archive(source, spool=store.spool()) as archive, store.writing() as target:
        names = _names_by_digest(archive)
        roots = copy_many(
            archive,
            [(digest, None) for digest in names],
            target,
            platforms=ALL if platforms is None else platforms,
            sparse=True,
            on_event=on_event,
        )
        for root in roots:
            target.check(root)  # all of them, before any can be seen
        for root in roots:
            image_id = target.add(root, names[root.digest])
            shown = [references.parse(name).familiar for name in names[root.digest]]
            loaded.extend(Loaded(image_id, name) for name in shown or [""])
    return loaded


def _names_by_digest(archive: ArchiveSource) -> dict[Digest, list[str]]:
    """Return what the archive lists, each once, with the references it goes by."""
    found: dict[Digest, list[str]] = {}
    for entry in archive.entries:
        names = found.setdefault(entry.digest, [])
        full = naming.full_name(next(iter(naming.names_of(entry)), ""))
        if full and full not in names and _can_be_used(references.parse(full)):
            names.append(full)
    return found


def _can_be_used(name: Reference) -> bool:
    """Say whether an image can be called so; what else an archive says is passed over."""
    return bool(name.tag) and not is_ambiguous(name)
