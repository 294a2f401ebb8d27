"""Moving what a plan lists: blobs several at a time, manifests after what they refer to."""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import partial
from typing import BinaryIO, Protocol, runtime_checkable

from nacre.content.documents import read_bytes
from nacre.content.target import Content, Placed, Source, Target, ignore_bytes
from nacre.oci import config as configs
from nacre.oci import mediatypes
from nacre.oci.config import ImageConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest
from nacre.transports.crew import Call, Crew
from nacre.transports.events import (
    Existed,
    Mounted,
    OnEvent,
    Progress,
    Queued,
    Stored,
    Tagged,
    Warned,
)
from nacre.transports.pace import Pace
from nacre.transports.sides import DESTINATION, SOURCE, blaming, feed
from nacre.transports.walk import Document, Plan, check_same, is_file_system


@runtime_checkable
class WritesInOrder(Protocol):
    """A target whose bytes depend on the order of `put`, such as an archive: it gets no threads."""

    @property
    def writes_in_order(self) -> bool:
        """Say that content must come one by one and in the order of the plan."""


@runtime_checkable
class PutsNamed(Protocol):
    """A target that stores a root and names it in one step, as a registry can."""

    def put_named(self, name: str, descriptor: Descriptor, content: Content) -> Placed:
        """Take a manifest in and point a name at it; see `Target.put` and `Target.tag`."""


class Mover:
    """Carries content from one source to one target, and nothing twice."""

    def __init__(self, source: Source, target: Target, crew: Crew, tell: OnEvent) -> None:
        self._source = source
        self._target = target
        self._crew = crew
        self._tell = tell
        self._moved: dict[Digest, Descriptor] = {}
        self._configs: dict[Digest, ImageConfig] = {}

    def move(self, plan: Plan) -> None:
        """Move all blobs of a plan that have not been moved before.

        Raises:
            InvalidConfig: a config has not as many diff_ids as its manifest has layers.
            InvalidManifest: a blob that was moved is now listed as something else.
            CorruptBlob: the source's bytes are not what a descriptor says.
        """
        with blaming(SOURCE):
            for blob in plan.blobs:
                check_same(self._moved.get(blob.digest, blob), blob)
        images = _images_by_config(plan)
        fresh = [blob for blob in plan.blobs if blob.digest not in self._moved]
        for blob in fresh:
            self._tell(Queued(blob))
        # A config moved for an earlier image is not moved again, yet must suit this one too.
        known = [images[digest][0].config for digest in images if digest in self._moved]
        self._do(
            partial(self._config, blob, images[blob.digest])
            if blob.digest in images
            else partial(self._blob, blob)
            for blob in (*known, *fresh)
        )

    def place(self, plan: Plan, name: str | None) -> None:
        """Put a plan's manifests, children before parents, the root last; then name it."""
        for level in plan.levels[:-1]:
            self._do(partial(self._manifest, document) for document in level)
        descriptor = plan.root.descriptor
        if name is None:
            self._manifest(plan.root)
            return
        with blaming(DESTINATION):
            if isinstance(self._target, PutsNamed):
                self._target.put_named(name, descriptor, _from_memory(plan.root.content.raw))
            else:
                self._manifest(plan.root)
                self._target.tag(name, descriptor)
        if name:
            self._tell(Tagged(name, descriptor))

    def config_of(self, manifest: Manifest) -> ImageConfig | None:
        """Return the config of an image, read from the source once; None for anything else."""
        return self._read_config(manifest.config) if is_file_system(manifest) else None

    def _do(self, calls: Iterable[Call]) -> None:
        if isinstance(self._target, WritesInOrder) and self._target.writes_in_order:
            for call in calls:
                call()
        else:
            self._crew.do(calls)

    def _config(self, descriptor: Descriptor, manifests: list[Manifest]) -> None:
        config = self._read_config(descriptor)
        with blaming(SOURCE):
            for manifest in manifests:
                configs.check_layer_count(config, manifest.layers)
        if descriptor.digest not in self._moved:
            self._put(descriptor, _from_memory(config.raw))

    def _read_config(self, descriptor: Descriptor) -> ImageConfig:
        with blaming(SOURCE):
            config = self._configs.get(descriptor.digest)
            if config is None:
                config = configs.parse(read_bytes(self._source, descriptor))
                self._configs[descriptor.digest] = config
        return config

    def _blob(self, descriptor: Descriptor) -> None:
        if _is_elsewhere(descriptor):
            with blaming(SOURCE):
                here = self._source.exists(descriptor)
            if not here:
                text = f"foreign layer {descriptor.digest} is not at the source: left out"
                self._tell(Warned(text))
                return
        self._put(descriptor, partial(self._open, descriptor))

    def _open(self, descriptor: Descriptor, offset: int) -> BinaryIO:
        with blaming(SOURCE):
            return feed(self._source.stream(descriptor, offset), self._crew.check)

    def _put(self, descriptor: Descriptor, content: Content) -> None:
        pace = Pace()

        def on_bytes(offset: int) -> None:
            if pace.is_due():
                self._tell(Progress(descriptor, offset))

        with blaming(DESTINATION):
            placed = self._target.put(descriptor, content, on_bytes)
        self._moved[descriptor.digest] = descriptor
        if placed.origin:
            self._tell(Mounted(descriptor, placed.origin))
        elif placed.moved:
            self._tell(Stored(descriptor, placed.moved))
        else:
            self._tell(Existed(descriptor))

    def _manifest(self, document: Document) -> None:
        descriptor = document.descriptor
        if descriptor.digest in self._moved:
            return
        with blaming(DESTINATION):
            self._target.put(descriptor, _from_memory(document.content.raw), ignore_bytes)
        self._moved[descriptor.digest] = descriptor


def _images_by_config(plan: Plan) -> dict[Digest, list[Manifest]]:
    images: dict[Digest, list[Manifest]] = {}
    for level in plan.levels:
        for document in level:
            content = document.content
            if isinstance(content, Manifest) and is_file_system(content):
                images.setdefault(content.config.digest, []).append(content)
    return images


def _is_elsewhere(descriptor: Descriptor) -> bool:
    """Say whether a layer is, by its own words, to be had from somewhere else."""
    return mediatypes.is_foreign(descriptor.media_type) or bool(descriptor.fields.get("urls"))


def _from_memory(raw: bytes) -> Content:
    return lambda offset: io.BytesIO(raw[offset:])
