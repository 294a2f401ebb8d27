"""Blobs and links in memory."""

from __future__ import annotations

from datetime import datetime

from nacre.hub.registry.blobs import Blob
from nacre.hub.registry.manifests import Reference
from nacre.oci.digest import Digest
from nacre.testing.hub.state import State


class MemoryBlobs:
    """Meets `nacre.hub.registry.blobs.Blobs`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def find(self, repository: int, digest: Digest) -> Blob | None:
        row = self._state.repositories.get(repository)
        if row is None or digest not in row.links:
            return None
        return self._state.blob(row, digest)

    async def promise(self, repository: int, digest: Digest, until: datetime) -> bool:
        row = self._state.repositories.get(repository)
        if row is None or digest not in row.links:
            return False
        self._state.renew(row, digest, until)
        return True

    async def mount(
        self, repository: int, digest: Digest, *, sources: frozenset[int] | None, until: datetime
    ) -> Blob | None:
        row = self._state.there(repository)
        if digest not in row.links:
            having = {one.id for one in self._state.repositories.values() if digest in one.links}
            if not having if sources is None else not having & sources:
                return None
            if not any(digest in one.links for one in self._state.within(row.namespace)):
                self._state.check_room(row.namespace, self._state.blobs[digest].size)
        self._state.link(row, digest, until)
        return self._state.blob(row, digest)

    async def unlink(self, repository: int, digest: Digest, *, immutable: str = "") -> bool:
        row = self._state.repositories.get(repository)
        if row is None or digest not in row.links:
            return False
        row.check_not_needed(digest, Reference.BLOB, Reference.FOREIGN, immutable=immutable)
        self._state.unlink(row, digest, self._state.now())
        return True
