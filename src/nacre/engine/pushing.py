"""Push: an image of the local store to a registry, moving only what it lacks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nacre.engine.compressing import with_compressed_layers
from nacre.errors import Denied
from nacre.oci.descriptor import Descriptor
from nacre.oci.reference import Reference
from nacre.transports.copy import copy
from nacre.transports.events import OnEvent
from nacre.transports.registry import RegistryTarget
from nacre.transports.walk import PRESENT, Platforms

if TYPE_CHECKING:
    from nacre.engine.local import LocalStore
    from nacre.engine.registries import Registries
    from nacre.engine.state import ImageRecord


@dataclass(frozen=True, slots=True)
class Pushed:
    """The outcome of a push."""

    reference: Reference
    descriptor: Descriptor
    """What the registry has now; its digest differs from the local one when layers were packed."""


def push(
    store: LocalStore,
    registries: Registries,
    record: ImageRecord,
    reference: Reference,
    *,
    platforms: Platforms = PRESENT,
    jobs: int,
    on_event: OnEvent,
) -> Pushed:
    """Send what the registry lacks of an image and tag it there.

    Plain tar layers are compressed first and the compressed form is kept, so that the next push
    has the same digests.

    Args:
        store: where it is.
        registries: where it goes.
        record: the image.
        reference: its name at the registry.
        platforms: which of an index's platforms to send; default is those that are here.
        jobs: how many blobs to move at a time.
        on_event: told what happens.

    Raises:
        Denied: the registry does not let this user write.

    """
    with registries.telling(on_event), store.writing() as local:
        local.hold(record.descriptor)
        target = RegistryTarget(
            registries.repository(reference),
            mount_from=lambda digest: store.state.blob_sources(digest, reference.domain),
        )
        packed = with_compressed_layers(
            store, local, record.descriptor, elsewhere=lambda blob: target.find(blob) is not None
        )
        sent = copy(
            store.at({reference.familiar: packed}),
            reference.familiar,
            target,
            reference.tag,
            platforms=platforms,
            jobs=jobs,
            on_event=on_event,
        )
        with suppress(Denied):  # a store that is read-only cannot remember, and need not
            store.state.add_repo_digest(reference.name, sent, image=record.descriptor.digest)
            store.state.note_sources(store.blobs_of(sent), reference.domain, reference.path)
    return Pushed(reference, sent)
