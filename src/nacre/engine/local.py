"""The local store as a source of copies: blobs and names joined.

Writing is in `nacre.engine.local_target`, which is imported when something is written: most
commands only read, and are to start quickly.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from nacre.content.diskerrors import DiskFull
from nacre.content.documents import read_document
from nacre.errors import NacreError, Unavailable
from nacre.oci import graph, mediatypes
from nacre.oci import reference as references
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index, Manifest
from nacre.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from nacre.content.filesystem import FilesystemBlobs
    from nacre.engine.local_target import LocalTarget
    from nacre.engine.state import State
    from nacre.images.layers import ImageLayers
    from nacre.layers.limits import Limits
    from nacre.oci.digest import Digest
    from nacre.oci.platform import Platform
    from nacre.oci.reference import Reference
    from nacre.storage.driver import StorageDriver
    from nacre.storage.tocs import Tocs


class LocalStore:
    """Reads images of this machine; ``writing`` enters a lease under which they are added."""

    def __init__(
        self,
        root: Path,
        blobs: FilesystemBlobs,
        state: State,
        platform: Platform,
        *,
        limits: Mapping[str, Any],
    ) -> None:
        self._limits = limits
        self.root = root
        self.blobs = blobs
        self.state = state
        self._platform = platform

    @cached_property
    def tocs(self) -> Tocs:
        """Tables of contents of layers."""
        from nacre.storage.tocs import Tocs

        return Tocs(self.root / "tocs")

    @cached_property
    def layers(self) -> ImageLayers:
        """The layers that are here, by diff ID."""
        from nacre.images.layers import ImageLayers

        return ImageLayers(self.blobs, self.tocs, self.state.forms_of, limits=self.limits)

    @cached_property
    def limits(self) -> Limits:
        """What a layer may be at most."""
        from nacre.layers.limits import Limits

        return Limits(**self._limits)

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return a blob's checked bytes; see `BlobReader`."""
        return self.blobs.open(descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return a blob's unchecked bytes; see `BlobReader`."""
        return self.blobs.stream(descriptor, offset)

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether a blob is here."""
        return self.blobs.exists(descriptor)

    def raw_tar(self, layer: Descriptor) -> Descriptor | None:
        """Return the raw tar of a layer, if it is here and known to be that layer's."""
        diff_id = self.state.diff_id_of(layer.digest)
        size = self.state.layer_size(diff_id) if diff_id else None
        if diff_id is None or size is None:
            return None
        tar = Descriptor(mediatypes.OCI_LAYER_TAR, diff_id, size)
        return tar if self.exists(tar) else None

    def resolve(self, name: str) -> Descriptor:
        """Return what a full name points at; see `RefStore`."""
        return self.state.resolve(name)

    def names(self) -> Iterator[str]:
        """Go through all full names."""
        return self.state.names()

    def tags_of(self, repository: Reference) -> list[Reference]:
        """Return every tag of a repository that is here."""
        found = (references.parse(name) for name in self.names())
        return [each for each in found if each.name == repository.name and each.tag]

    def at(self, roots: Mapping[str, Descriptor]) -> At:
        """Return a source in which these names stand for these roots, whatever they are here."""
        return At(self, roots)

    def spool(self) -> Path:
        """Return the folder for what is too large for memory, made when missing."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.root

    def manifests_of(self, root: Descriptor) -> Iterator[Manifest]:
        """Go through the image manifest, or those of an index, as far as they are here.

        Each comes once, however often and by however many indexes it is listed.
        """
        met: set[Digest] = set()
        waiting = [root]
        while waiting:
            descriptor = waiting.pop()
            if descriptor.digest in met or not self.exists(descriptor):
                continue
            met.add(descriptor.digest)
            document = read_document(self, descriptor)
            if isinstance(document, Manifest):
                yield document
            else:
                waiting.extend(child for child in document.manifests[::-1] if child.is_manifest)

    def blobs_of(self, root: Descriptor) -> Iterator[Descriptor]:
        """Go through config and layers of an image, or of all images of an index here."""
        for manifest in self.manifests_of(root):
            yield from graph.successors(manifest)

    def publish(self) -> None:
        """Write ``index.json`` anew, by which other tools find the images of this store."""
        from nacre.content import layout

        layout.replace_index(self.root, self._index)

    def _index(self) -> Index:
        from nacre.content import layout

        named = [
            (name, record.descriptor) for record in self.state.images() for name in record.names
        ]
        return layout.index_of(sorted(named))

    @contextmanager
    def writing(
        self, driver: StorageDriver | None = None, *, tars_suffice: bool = False
    ) -> Iterator[LocalTarget]:
        """Enter a lease and hand out a target whose content is safe from collection meanwhile.

        With a storage driver, layers are unpacked as they come in. Where raw tars suffice, a
        layer whose tar is here does not come in again.

        After a failure that trying again will not mend, what had come in vanishes. After others
        (the network broke, the process was killed) it stays, and the next attempt goes on with it.
        """
        from nacre.engine.local_target import LocalTarget

        brought: set[Digest] = set()
        try:
            with self.state.lease() as lease:
                yield LocalTarget(
                    self, lease, self._platform, brought, driver, tars_suffice=tars_suffice
                )
        except NacreError as error:
            if isinstance(error, DiskFull) or not isinstance(error, Unavailable):
                with suppress(NacreError):  # the first error is the one to tell
                    self.discard(brought)
            raise

    def discard(self, digests: Collection[Digest], *, besides: Descriptor | None = None) -> None:
        """Drop those of these blobs, whole or half, that no image and nobody else needs.

        What only ``besides`` leads to is not needed.
        """
        from nacre.content import gc

        if not digests:
            return
        with self.state.collecting() as roots:
            alive = gc.reachable((root for root in roots if root != besides), self.blobs)
            doomed = gc.garbage(digests, alive)
            self.blobs.discard(doomed)
            for layer in map(self.state.diff_id_of, doomed):
                if layer and layer not in alive:
                    self.tocs.remove(layer)
        self.blobs.empty_trash()
        self.blobs.forget_ingests(doomed)

    def close(self) -> None:
        """Close the state."""
        self.state.close()


class At(Value):
    """The store with names of its own: a source for what has another name here, or none."""

    store: LocalStore
    roots: Mapping[str, Descriptor]

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return a blob's checked bytes; see `BlobReader`."""
        return self.store.open(descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return a blob's unchecked bytes; see `BlobReader`."""
        return self.store.stream(descriptor, offset)

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether a blob is here."""
        return self.store.exists(descriptor)

    def resolve(self, name: str) -> Descriptor:
        """Return what a name stands for."""
        return self.roots[name]
