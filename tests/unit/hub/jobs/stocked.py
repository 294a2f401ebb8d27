"""A hub with content, made through the same services that requests use."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from nacre.hub.records import Records
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.chunk import Chunk
from nacre.hub.registry.documents import read
from nacre.hub.registry.manifests import Manifest
from nacre.hub.registry.publishing import Publishing
from nacre.hub.registry.receiving import Receiving
from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.repository import Repository, Visibility
from nacre.oci import mediatypes
from nacre.oci.digest import Digest

RULES = Rules(sparse=frozenset({"sparse"}))


@dataclass(frozen=True)
class Pushed:
    """A manifest that was pushed."""

    digest: Digest
    media_type: str
    size: int

    @property
    def descriptor(self) -> dict[str, object]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


class Pusher:
    """Pushes as a client does."""

    def __init__(
        self,
        records: Records,
        place: BytePlace,
        now: Callable[[], datetime],
        *,
        rules: Rules = RULES,
    ) -> None:
        self.records = records
        self._receiving = Receiving(
            records.uploads, place, rules=rules, now=now, new_id=lambda: secrets.token_hex(8)
        )
        self._publishing = Publishing(records.manifests, rules=rules)

    async def repository(self, name: str, visibility: Visibility = Visibility.PUBLIC) -> Repository:
        return await self.records.repositories.ensure(name, visibility)

    async def blob(self, repository: Repository, data: bytes, algorithm: str = "sha256") -> Digest:
        digest = Digest.of(data, algorithm)
        await self._receiving.whole(repository.id, "alice", Chunk(_body(data)), digest)
        return digest

    async def image(
        self,
        repository: Repository,
        *layers: bytes,
        tags: tuple[str, ...] = (),
        subject: Pushed | None = None,
        by: str = "alice",
        algorithm: str = "sha256",
    ) -> Pushed:
        """Push an image of these layers, whose config names the layers' content, too."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "layers": len(layers)})
        parts = [(mediatypes.OCI_CONFIG, config.encode())]
        parts += [(mediatypes.OCI_LAYER_GZIP, layer) for layer in layers]
        named = [
            {
                "mediaType": media_type,
                "digest": await self.blob(repository, data, algorithm),
                "size": len(data),
            }
            for media_type, data in parts
        ]
        document: dict[str, object] = {"config": named[0], "layers": named[1:]}
        if subject is not None:
            document |= {"subject": subject.descriptor, "artifactType": "text/signature"}
        return await self.manifest(
            repository, mediatypes.OCI_MANIFEST, document, tags, by=by, algorithm=algorithm
        )

    async def index(
        self, repository: Repository, *children: Pushed, tags: tuple[str, ...] = ()
    ) -> Pushed:
        document: dict[str, object] = {"manifests": [child.descriptor for child in children]}
        return await self.manifest(repository, mediatypes.OCI_INDEX, document, tags)

    async def manifest(
        self,
        repository: Repository,
        media_type: str,
        document: dict[str, object],
        tags: tuple[str, ...] = (),
        *,
        by: str = "alice",
        algorithm: str = "sha256",
    ) -> Pushed:
        made = record(media_type, document, algorithm)
        await self.put(repository, made, tags, by=by)
        return Pushed(made.digest, media_type, len(made.raw))

    async def put(
        self, repository: Repository, manifest: Manifest, tags: tuple[str, ...], *, by: str
    ) -> None:
        await self._publishing.put(repository, manifest, tags=tags, by=by)


def record(media_type: str, document: dict[str, object], algorithm: str = "sha256") -> Manifest:
    """Return the manifest that says this."""
    raw = json.dumps({"schemaVersion": 2, "mediaType": media_type, **document}).encode()
    return read(raw, media_type, Digest.of(raw, algorithm))


async def _body(data: bytes) -> AsyncIterator[bytes]:
    yield data
