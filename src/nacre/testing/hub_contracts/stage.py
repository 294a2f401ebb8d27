"""What the contract suites of a hub's records work with."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from nacre.hub.jobs.queue import Collected, Kind
from nacre.hub.records import Records
from nacre.hub.registry.blobs import GRACE, Blob
from nacre.hub.registry.manifests import Manifest, Reference, Terms
from nacre.hub.registry.uploads import Upload
from nacre.hub.repositories.repository import Visibility
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest

T = TypeVar("T")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BY_BOB = Terms(by="bob")
LAYER = mediatypes.OCI_LAYER_GZIP


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time

    def go(self, by: timedelta) -> None:
        """Let time pass."""
        self.time += by


@dataclass
class Stage:
    """Empty records, the clock that they were given, and the event loop that they live in."""

    records: Records
    clock: Clock
    runner: asyncio.Runner
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Run one transaction."""
        return self.runner.run(what)

    @property
    def grace(self) -> datetime:
        """When a link that is made now expires."""
        return self.clock() + GRACE

    def repository(self, name: str, visibility: Visibility = Visibility.PRIVATE) -> int:
        """Return the id of a repository, making it when missing."""
        return self.do(self.records.repositories.ensure(name, visibility)).id

    def upload(self, repository: int, *, owner: str = "bob", key: str = "") -> Upload:
        """Start an upload."""
        number = next(self._numbers)
        key = key or f"key-{number}"
        upload = Upload(f"upload-{number}", repository, owner, key, 0, "sha256", None, self.clock())
        self.do(self.records.uploads.start(upload))
        return upload

    def take(self, upload: Upload, holder: str = "request") -> Upload:
        """Take an upload, for an hour."""
        return self.do(
            self.records.uploads.take(
                upload.id,
                repository=upload.repository,
                owner=upload.owner,
                holder=holder,
                until=self.clock() + HOUR,
            )
        )

    def finish(
        self, upload: Upload, data: bytes, *, algorithm: str = "sha256", lost: str | None = None
    ) -> Blob:
        """Take and finish an upload."""
        self.take(upload)
        return self.do(
            self.records.uploads.finish(
                upload.id,
                holder="request",
                digest=Digest.of(data, algorithm),
                size=len(data),
                until=self.grace,
                lost=lost,
            )
        )

    def push(self, repository: int, data: bytes, *, algorithm: str = "sha256") -> Blob:
        """Push a blob."""
        return self.finish(self.upload(repository), data, algorithm=algorithm)

    def blob(self, repository: int, digest: Digest) -> Blob | None:
        """Return a blob of a repository."""
        return self.do(self.records.blobs.find(repository, digest))

    def has(self, repository: int, digest: Digest) -> bool:
        """Say whether a repository has a blob."""
        return self.blob(repository, digest) is not None

    def put(
        self, repository: int, manifest: Manifest, *tags: str, terms: Terms = BY_BOB
    ) -> Manifest:
        """Push a manifest."""
        self.do(self.records.manifests.put(repository, manifest, tags=tags, terms=terms))
        return manifest

    def is_there(self, repository: int, manifest: Manifest) -> bool:
        """Say whether a repository has a manifest."""
        return self.do(self.records.manifests.by_digest(repository, manifest.digest)) is not None

    def tagged(self, repository: int, tag: str) -> Digest | None:
        """Return what a tag points to."""
        stored = self.do(self.records.manifests.by_tag(repository, tag))
        return None if stored is None else stored.digest

    def used(self, namespace: str) -> int:
        """Return how many bytes a namespace holds."""
        spaces = self.do(self.records.repositories.namespaces())
        return next(space.used for space in spaces if space.name == namespace)

    def review(self, now: datetime) -> Collected:
        """Review what is due at a time until nothing more is."""
        total = Collected()
        while True:
            looked = 0
            for kind in Kind:
                seen, found = self.do(self.records.garbage.review(kind, now, 100))
                looked += seen
                total += found
            if not looked:
                return total

    def collect(self, *, spare: timedelta = timedelta(0)) -> Collected:
        """Collect by hand, until nothing more is found."""
        total = Collected()
        while True:
            self.do(self.records.garbage.hasten(self.clock(), spare=spare))
            found = self.review(self.clock())
            if found == Collected():
                return total
            total += found

    def trash(self, now: datetime) -> set[str]:
        """Return the keys whose bytes are to be deleted at a time."""
        return set(self.do(self.records.garbage.trash(now, 1000)))


def image(
    *blobs: Blob, subject: Manifest | None = None, kind: str = "", text: str = ""
) -> Manifest:
    """Return the record of an image manifest that names these blobs."""
    references = tuple(
        (Descriptor(LAYER, blob.digest, blob.size), Reference.BLOB) for blob in blobs
    )
    return _manifest(mediatypes.OCI_MANIFEST, references, subject=subject, kind=kind, text=text)


def index(*children: Manifest, subject: Manifest | None = None, text: str = "") -> Manifest:
    """Return the record of an index that names these manifests."""
    references = tuple(
        (Descriptor(child.media_type, child.digest, len(child.raw)), Reference.MANIFEST)
        for child in children
    )
    return _manifest(mediatypes.OCI_INDEX, references, subject=subject, kind="", text=text)


def _manifest(
    media_type: str,
    references: Sequence[tuple[Descriptor, Reference]],
    *,
    subject: Manifest | None,
    kind: str,
    text: str,
) -> Manifest:
    digest = None if subject is None else subject.digest
    names = [named.digest for named, _ in references]
    raw = json.dumps([media_type, names, digest, kind, text]).encode()
    annotations = json.dumps({"text": text}) if text else ""
    return Manifest(
        Digest.of(raw),
        media_type,
        raw,
        subject=digest,
        artifact_type=kind,
        annotations=annotations,
        references=tuple(references),
    )
