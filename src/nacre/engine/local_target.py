"""The local store as a target of copies: blobs, names and leases joined."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nacre.content.documents import read_config
from nacre.content.target import Content, OnBytes, Placed, ignore_bytes
from nacre.engine.tagging import check_unambiguous
from nacre.images.image import Image
from nacre.images.intake import Unpacker
from nacre.images.receive import Received, Receiver, check_diff_ids, measure
from nacre.oci import mediatypes
from nacre.oci import reference as references
from nacre.oci.config import ImageConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index, Manifest
from nacre.transports.walk import is_file_system

if TYPE_CHECKING:
    from nacre.content.leases import Lease
    from nacre.content.store import Buffer, Ingest
    from nacre.engine.local import LocalStore
    from nacre.oci.digest import Digest
    from nacre.oci.platform import Platform
    from nacre.storage.driver import StorageDriver


class LocalTarget:
    """The store while a lease is held: what is put or found here stays until the lease ends."""

    def __init__(
        self,
        store: LocalStore,
        lease: Lease,
        platform: Platform,
        brought: set[Digest],
        driver: StorageDriver | None,
        *,
        tars_suffice: bool,
    ) -> None:
        self._store = store
        self._lease = lease
        self._platform = platform
        self._brought = brought
        self._tars_suffice = tars_suffice
        limits = store.limits.for_one_image()
        unpacker = Unpacker(driver, store.tocs, self.producing, limits) if driver else None
        self._receiver = Receiver(
            store.blobs,
            on_layer=self._note,
            intake=unpacker.unpacking if unpacker else None,
            limits=limits,
        )

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether a blob is here, and keep it if so."""
        self._lease.hold([descriptor])
        return self._store.blobs.exists(descriptor)

    def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
        """Take a blob in; of a layer, the diff_id and the size unpacked are recorded."""
        if self._tars_suffice and (tar := self._store.raw_tar(descriptor)):
            self._lease.hold([tar])
            if self._store.exists(tar):
                return Placed(0)
        self._bring(descriptor)
        return self._receiver.put(descriptor, content, on_bytes)

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Record the image and point ``name`` at it; see `add`."""
        self.add(descriptor, [name])

    def add(self, descriptor: Descriptor, names: Collection[str] = ()) -> Digest:
        """Record an image, point names at it, and return its ID: all at once or not at all.

        Raises:
            Invalid: see `check`.
            InvalidReference: a name looks like a digest.
        """
        image_id = self.check(descriptor)
        state = self._store.state
        with state.changing():
            state.add_image(descriptor, image_id=image_id)
            for name in names:
                check_unambiguous(references.parse(name))
                state.tag(name, descriptor, image_id=image_id)
        if names:
            self._store.publish()
        return image_id

    def check(self, descriptor: Descriptor) -> Digest:
        """Hold the layers of an image, or of all in an index, against the configs; return its ID.

        Raises:
            WrongLayer: a layer unpacks to something else than its config promises.
            BrokenLayer: a layer cannot be unpacked.
            InvalidConfig: there are more or fewer layers than a config says.
        """
        for manifest in self._store.manifests_of(descriptor):
            if is_file_system(manifest):
                config = read_config(self._store, manifest)
                check_diff_ids(config, [self._received(layer) for layer in manifest.layers])
        return Image(self._store, descriptor, self._platform).id

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

    def _received(self, layer: Descriptor) -> Received | None:
        """Return what a layer unpacks to, from what is known or else by reading it."""
        if not self._store.exists(layer) and not self._store.raw_tar(layer):
            return None
        state = self._store.state
        diff_id = state.diff_id_of(layer.digest)
        size = state.layer_size(diff_id) if diff_id else None
        if diff_id and size is not None:
            return Received(layer, diff_id, size)
        received = measure(self._store, layer, limits=self._store.limits)
        self._note(received)
        return received


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
