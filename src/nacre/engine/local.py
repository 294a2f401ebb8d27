"""The local store as a source and a target of copies: blobs, names and leases joined."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nacre.content import gc, layout
from nacre.content.diskerrors import DiskFull
from nacre.content.documents import read_config, read_document
from nacre.content.target import Content, OnBytes, Placed, ignore_bytes
from nacre.errors import NacreError, Unavailable
from nacre.images.image import Image
from nacre.oci import graph, mediatypes
from nacre.oci import reference as references
from nacre.oci.config import ImageConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index, Manifest
from nacre.transports.walk import is_file_system

if TYPE_CHECKING:
    from nacre.content.filesystem import FilesystemBlobs
    from nacre.content.leases import Lease
    from nacre.content.store import Buffer, Ingest
    from nacre.engine.state import State
    from nacre.images.receive import Received
    from nacre.oci.digest import Digest
    from nacre.oci.platform import Platform
    from nacre.oci.reference import Reference


class LocalStore:
    """Reads images of this machine; ``writing`` enters a lease under which they are added."""

    def __init__(
        self, root: Path, blobs: FilesystemBlobs, state: State, platform: Platform
    ) -> None:
        self.root = root
        self.blobs = blobs
        self.state = state
        self._platform = platform

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return a blob's checked bytes; see `BlobReader`."""
        return self.blobs.open(descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return a blob's unchecked bytes; see `BlobReader`."""
        return self.blobs.stream(descriptor, offset)

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether a blob is here."""
        return self.blobs.exists(descriptor)

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
        """Go through the image manifest, or those of an index, as far as they are here."""
        if not self.exists(root):
            return
        document = read_document(self, root)
        if isinstance(document, Manifest):
            yield document
            return
        for child in document.manifests:
            if child.is_manifest:
                yield from self.manifests_of(child)

    def blobs_of(self, root: Descriptor) -> Iterator[Descriptor]:
        """Go through config and layers of an image, or of all images of an index here."""
        for manifest in self.manifests_of(root):
            yield from graph.successors(manifest)

    def publish(self) -> None:
        """Write ``index.json`` anew, by which other tools find the images of this store."""
        layout.replace_index(self.root, self._index)

    def _index(self) -> Index:
        named = [
            (name, record.descriptor) for record in self.state.images() for name in record.names
        ]
        return layout.index_of(sorted(named))

    @contextmanager
    def writing(self) -> Iterator[LocalTarget]:
        """Enter a lease and hand out a target whose content is safe from collection meanwhile.

        After a failure that trying again will not mend, what had come in vanishes. After others
        (the network broke, the process was killed) it stays, and the next attempt goes on with it.
        """
        brought: set[Digest] = set()
        try:
            with self.state.lease() as lease:
                yield LocalTarget(self, lease, self._platform, brought)
        except NacreError as error:
            if isinstance(error, DiskFull) or not isinstance(error, Unavailable):
                with suppress(NacreError):  # the first error is the one to tell
                    self.discard(brought)
            raise

    def discard(self, digests: Collection[Digest]) -> None:
        """Drop those of these blobs, whole or half, that no image and nobody else needs."""
        if not digests:
            return
        with self.state.collecting() as roots:
            alive = gc.reachable(roots, self.blobs)
            doomed = gc.garbage(digests, alive)
            self.blobs.discard(doomed)
        self.blobs.empty_trash()
        self.blobs.forget_ingests(doomed)

    def close(self) -> None:
        """Close the state."""
        self.state.close()


@dataclass(frozen=True, slots=True)
class At:
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


class LocalTarget:
    """The store while a lease is held: what is put or found here stays until the lease ends."""

    def __init__(
        self, store: LocalStore, lease: Lease, platform: Platform, brought: set[Digest]
    ) -> None:
        # Inflating on the way in is needed by those who write only.
        from nacre.images.receive import Receiver  # noqa: PLC0415

        self._store = store
        self._lease = lease
        self._platform = platform
        self._brought = brought
        self._receiver = Receiver(store.blobs, on_layer=self._note)

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether a blob is here, and keep it if so."""
        self._lease.hold([descriptor])
        return self._store.blobs.exists(descriptor)

    def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
        """Take a blob in; of a layer, the diff_id and the size unpacked are recorded."""
        self._bring(descriptor)
        return self._receiver.put(descriptor, content, on_bytes)

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Record the image and point ``name`` at it; see `add`."""
        self._check_layers(descriptor)
        self._store.state.tag(name, descriptor, image_id=self._image_id(descriptor))
        self._store.publish()

    def add(self, descriptor: Descriptor) -> Digest:
        """Record an image without a name and return its ID.

        Raises:
            WrongLayer: a layer unpacks to something else than its config promises.
            BrokenLayer: a layer cannot be unpacked.
        """
        self._check_layers(descriptor)
        image_id = self._image_id(descriptor)
        self._store.state.add_image(descriptor, image_id=image_id)
        return image_id

    def hold(self, descriptor: Descriptor) -> None:
        """Keep content that was found rather than put."""
        self._lease.hold([descriptor])

    def add_document(self, document: Manifest | Index | ImageConfig) -> Descriptor:
        """Store a document that nacre wrote and return its descriptor."""
        descriptor = _descriptor_of(document)
        self.put(descriptor, lambda offset: io.BytesIO(document.raw[offset:]), ignore_bytes)
        return descriptor

    @contextmanager
    def producing(self) -> Iterator[HeldIngest]:
        """Enter the writing of a blob whose digest is known only when it is finished."""
        with self._store.blobs.ingest() as ingest:
            yield HeldIngest(ingest, self._bring)

    def _bring(self, descriptor: Descriptor) -> None:
        self._lease.hold([descriptor])
        self._brought.add(descriptor.digest)

    def _note(self, received: Received) -> None:
        self._store.state.note_layer(
            received.descriptor, diff_id=received.diff_id, size=received.size
        )

    def _check_layers(self, root: Descriptor) -> None:
        """Hold the layers of all images that are here against the configs they belong to."""
        from nacre.images.receive import check_diff_ids  # noqa: PLC0415

        for manifest in self._store.manifests_of(root):
            if is_file_system(manifest):
                config = read_config(self._store, manifest)
                check_diff_ids(config, [self._received(layer) for layer in manifest.layers])

    def _received(self, layer: Descriptor) -> Received | None:
        """Return what a layer unpacks to, from what is known or else by reading it."""
        from nacre.images.receive import Received, measure  # noqa: PLC0415

        if not self._store.exists(layer):
            return None
        state = self._store.state
        diff_id = state.diff_id_of(layer.digest)
        size = state.layer_size(diff_id) if diff_id else None
        if diff_id and size is not None:
            return Received(layer, diff_id, size)
        received = measure(self._store, layer)
        self._note(received)
        return received

    def _image_id(self, descriptor: Descriptor) -> Digest:
        return Image(self._store, descriptor, self._platform).id


class HeldIngest:
    """An ingest whose blob is held from the moment it can be seen."""

    def __init__(self, ingest: Ingest, hold: Callable[[Descriptor], None]) -> None:
        self._ingest = ingest
        self._hold = hold

    def write(self, data: Buffer, /) -> int:
        """Append bytes; see `Ingest`."""
        return self._ingest.write(data)

    def commit(self, media_type: str) -> Descriptor:
        """Hold the digest, then show the blob; see `Ingest`."""
        # Held first: a collection between showing and holding would take the blob away.
        self._hold(Descriptor(media_type, self._ingest.digest, self._ingest.offset))
        return self._ingest.commit(media_type)


def _descriptor_of(document: Manifest | Index | ImageConfig) -> Descriptor:
    if isinstance(document, ImageConfig):
        return Descriptor.of(mediatypes.OCI_CONFIG, document.raw)
    return document.descriptor
