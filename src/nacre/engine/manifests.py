"""Indexes of several images, one a platform: make, look at, push."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nacre.content.documents import read_bytes, read_document
from nacre.engine import pushing
from nacre.engine.catalogue import NoSuchImage
from nacre.errors import Conflict
from nacre.images.image import Image
from nacre.oci import reference as references
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index, make_index
from nacre.transports.events import OnEvent, ignore
from nacre.transports.walk import ALL

if TYPE_CHECKING:
    from nacre.engine.catalogue import LocalImage
    from nacre.engine.images import Images
    from nacre.engine.parts import Parts
    from nacre.engine.pushing import Pushed


class Manifests:
    """Multi-platform indexes of an engine."""

    def __init__(self, parts: Parts, images: Images) -> None:
        self._parts = parts
        self._images = images

    def create(
        self,
        name: str,
        members: Sequence[str],
        *,
        amend: bool = False,
        on_event: OnEvent = ignore,
    ) -> LocalImage:
        """Make a local index of images and name it; members that are not here are pulled.

        Args:
            name: what to call the index.
            members: images; of one that is an index itself, what it lists is taken.
            amend: replace an index of that name.
            on_event: told of pulls.

        Raises:
            Conflict: the name is taken, without ``amend``.
            NotFound: a member is neither here nor in its registry.

        """
        reference = references.parse_tagged(name)
        if not amend and str(reference) in self._parts.store.names():
            raise Conflict(
                f"refusing to amend an existing manifest list: {reference.familiar}",
                remedy="add --amend to replace it",
            )
        with self._parts.store.writing() as local:
            children: dict[str, Descriptor] = {}
            for member in members:
                for child in self._children(self._root(member, on_event)):
                    local.hold(child)
                    children[child.digest] = child
            root = local.add_document(make_index(children.values()))
            local.tag(str(reference), root)
        return self._images.get(str(reference))

    def raw(self, name: str) -> bytes:
        """Return a manifest or an index byte for byte: a local one, else the registry's."""
        try:
            record = self._parts.catalogue.find(name).records[0]
        except NoSuchImage:
            reference = references.parse_tagged(name)
            repository = self._parts.registries.pull_repositories(reference)[-1]
            return repository.manifest(reference.pinned().version).raw
        return read_bytes(self._parts.store, record.descriptor)

    def push(
        self,
        name: str,
        destination: str | None = None,
        *,
        purge: bool = False,
        on_event: OnEvent = ignore,
    ) -> Pushed:
        """Send an index and all it lists to a registry; ``purge`` drops the local name then."""
        reference = references.parse_tagged(destination or name)
        record = self._parts.catalogue.find(name).records[0]
        pushed = pushing.push(
            self._parts.store,
            self._parts.registries,
            record,
            reference,
            platforms=ALL,
            jobs=self._parts.settings.jobs,
            on_event=on_event,
        )
        if purge:
            self._images.remove(str(references.parse_tagged(name)))
        return pushed

    def _root(self, member: str, on_event: OnEvent) -> Descriptor:
        try:
            return self._parts.catalogue.find(member).records[0].descriptor
        except NoSuchImage:
            return self._images.pull(member, platform="all", on_event=on_event).descriptor

    def _children(self, root: Descriptor) -> Iterator[Descriptor]:
        document = read_document(self._parts.store, root)
        if isinstance(document, Index):
            yield from document.manifests
            return
        view = Image(self._parts.store, root, self._parts.settings.platform)
        yield root.bare().on(view.platform) if view.is_image else root.bare()
