"""Pull: an image from a registry into the local store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nacre.engine.compressing import with_plain_layers
from nacre.engine.readying import make_ready
from nacre.errors import Denied, NacreError, NotFound, Unavailable
from nacre.oci.descriptor import Descriptor
from nacre.oci.reference import Reference
from nacre.transports.copy import copy
from nacre.transports.events import OnEvent, Warned
from nacre.transports.registry import RegistrySource
from nacre.transports.walk import ALL
from nacre.value import Value

if TYPE_CHECKING:
    from nacre.distribution.repository import Repository
    from nacre.engine.local import LocalStore
    from nacre.engine.local_target import LocalTarget
    from nacre.engine.registries import Registries
    from nacre.oci.platform import Platform
    from nacre.storage.driver import StorageDriver


class Pulled(Value):
    """The outcome of a pull."""

    reference: Reference
    descriptor: Descriptor
    """What the registry has under that name: a manifest or an index."""

    is_news: bool
    """False when the name pointed at this very image before."""


def pull(
    store: LocalStore,
    registries: Registries,
    reference: Reference,
    *,
    platforms: Sequence[Platform] | None,
    exact: bool,
    driver: StorageDriver | None,
    keeps_packed: bool,
    jobs: int,
    on_event: OnEvent,
) -> Pulled:
    """Fetch what is missing of an image and name it; mirrors are tried before the origin.

    Args:
        store: where it goes.
        registries: where it comes from.
        reference: its name, with tag or digest.
        platforms: which platforms of an index to fetch; None for all.
        exact: whether also an image that is no index must be for one of them.
        driver: makes the image ready to run while it comes; None to leave that to its first use.
        keeps_packed: whether layers stay in the form in which they come; else as raw tars.
        jobs: how many blobs to move at a time.
        on_event: told what happens.

    Raises:
        NotFound: there is no such image or none for the platforms.
        Denied: the registry does not let this user read it.

    """
    reference = reference.pinned()
    before = _present(store, reference)
    with (
        registries.telling(on_event),
        store.writing(driver, tars_suffice=not keeps_packed) as target,
    ):

        def fetch(repository: Repository) -> Descriptor:
            return copy(
                RegistrySource(repository),
                str(reference),
                target,
                None,
                platforms=ALL if platforms is None else platforms,
                exact=exact,
                sparse=True,
                jobs=jobs,
                on_event=on_event,
            )

        root = _from_first(
            registries.pull_repositories(reference),
            fetch,
            missed=lambda error: on_event(Warned(f"mirror of {reference.domain}: {error}")),
        )
        if driver:
            target.check(root)  # a layer that is another than promised makes another tree
            make_ready(store, driver, root)
        kept = root if keeps_packed else with_plain_layers(store, target, root)
        _record(store, target, reference, root, kept)
    if kept != root:
        packed = {blob.digest for blob in store.blobs_of(root)}
        store.discard(packed | {root.digest}, besides=root)
    return Pulled(reference, root, before is None or before.digest != kept.digest)


def tags(registries: Registries, reference: Reference) -> list[Reference]:
    """Return every tag of a repository as a reference, for ``pull --all-tags``."""
    repository = registries.pull_repositories(reference)[-1]
    return [reference.with_tag(tag) for tag in repository.tags()]


def _from_first(
    repositories: Sequence[Repository],
    fetch: Callable[[Repository], Descriptor],
    *,
    missed: Callable[[NacreError], None],
) -> Descriptor:
    """Return what the first repository gives that has it; what the last one says counts."""
    for mirror in repositories[:-1]:
        try:
            return fetch(mirror)
        except (NotFound, Denied, Unavailable) as error:
            missed(error)
    return fetch(repositories[-1])


def _record(
    store: LocalStore,
    target: LocalTarget,
    reference: Reference,
    root: Descriptor,
    kept: Descriptor,
) -> None:
    """Name the image as it is kept, and remember where its blobs can be mounted from."""
    if reference.tag:
        target.tag(str(reference), kept)
    else:
        target.add(kept)
    store.state.add_repo_digest(reference.name, root, image=kept.digest)
    store.state.note_sources(store.blobs_of(root), reference.domain, reference.path)


def _present(store: LocalStore, reference: Reference) -> Descriptor | None:
    try:
        if reference.digest:
            record = store.state.image_at(reference.name, reference.digest)
            return record.descriptor if record else None
        return store.resolve(str(reference))
    except NotFound:
        return None
