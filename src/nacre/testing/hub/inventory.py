"""Everything, page by page, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nacre.hub.jobs.inventory import Held, Recorded
from nacre.hub.registry.manifests import Manifest, Reference
from nacre.hub.repositories.repository import Repository
from nacre.oci.digest import Digest
from nacre.testing.hub.state import ManifestRow, RepositoryRow, State

_BLOBS = (Reference.BLOB, Reference.FOREIGN)


class MemoryInventory:
    """Meets `nacre.hub.jobs.inventory.Inventory`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def repositories(self, *, after: str, limit: int) -> Sequence[Repository]:
        rows = sorted(self._state.repositories.values(), key=lambda row: row.name)
        return [self._state.shown(row) for row in rows if row.name > after][:limit]

    async def blobs(self, *, after: str, limit: int) -> Sequence[Recorded]:
        rows = sorted(self._state.blobs.values(), key=lambda blob: blob.digest)
        return [Recorded(row.digest, row.size, row.key) for row in rows if row.digest > after][
            :limit
        ]

    async def blob(self, digest: Digest) -> Recorded | None:
        blob = self._state.blobs.get(digest)
        return None if blob is None else Recorded(digest, blob.size, blob.key)

    async def manifests(self, *, after: tuple[int, str], limit: int) -> Sequence[Held]:
        found = [
            _held(row, manifest)
            for row in self._state.repositories.values()
            for manifest in row.manifests.values()
            if (row.id, manifest.manifest.digest) > after
        ]
        return sorted(found, key=lambda held: (held.repository, held.digest))[:limit]

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        in_blobs = {blob.key for blob in self._state.blobs.values()}
        in_uploads = {row.upload.key for row in self._state.uploads.values()}
        return frozenset(keys) & (in_blobs | in_uploads | self._state.trash.keys())

    async def forget_lost(self, digest: Digest, key: str) -> bool:
        blob = self._state.blobs.get(digest)
        if blob is None or blob.key != key:
            return False
        for row in self._state.repositories.values():
            row.links.pop(digest, None)
        del self._state.blobs[digest]
        self._state.drop(key)
        return True

    async def mend(self, repository: int, manifest: Manifest) -> bool:
        row = self._state.repositories.get(repository)
        if row is None or manifest.digest not in row.manifests:
            return False
        row.manifests[manifest.digest].manifest = manifest
        self._state.settle(row, self._state.now())
        return True


def _held(row: RepositoryRow, held: ManifestRow) -> Held:
    manifest = held.manifest
    named = frozenset((each.digest, kind) for each, kind in manifest.references)
    here = {Reference.BLOB: row.links.keys(), Reference.MANIFEST: row.manifests.keys()}
    return Held(
        row.id,
        row.name,
        manifest.digest,
        manifest.media_type,
        manifest.raw,
        named,
        frozenset(
            digest for digest, kind in named if kind in _BLOBS and row.links.get(digest) is not None
        ),
        frozenset(
            digest
            for digest, kind in named
            if kind is not Reference.FOREIGN and digest not in here[kind]
        ),
    )
