"""Uploads in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from nacre.hub.errors import BlobUploadUnknown, Busy, QuotaExceeded
from nacre.hub.registry.blobs import Blob
from nacre.hub.registry.uploads import Known, Room, Upload
from nacre.oci.digest import Digest
from nacre.testing.hub.state import State, UploadRow


class MemoryUploads:
    """Meets `nacre.hub.registry.uploads.Uploads`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def start(self, upload: Upload) -> None:
        self._state.there(upload.repository)
        self._state.uploads[upload.id] = UploadRow(upload)

    async def find(self, upload: str, *, repository: int, owner: str) -> Upload:
        return self._owned(upload, repository, owner).upload

    def _owned(self, upload: str, repository: int, owner: str) -> UploadRow:
        row = self._state.uploads.get(upload)
        if row is None or (row.upload.repository, row.upload.owner) != (repository, owner):
            raise BlobUploadUnknown(f"there is no upload {upload}")
        return row

    def _held(self, upload: str, holder: str) -> UploadRow:
        row = self._state.uploads.get(upload)
        if row is None or not holder or row.holder != holder:
            raise BlobUploadUnknown(f"there is no upload {upload} for this request")
        return row

    async def take(
        self, upload: str, *, repository: int, owner: str, holder: str, until: datetime
    ) -> Upload:
        row = self._owned(upload, repository, owner)
        now = self._state.now()
        if row.holder not in ("", holder) and row.held_until is not None and row.held_until > now:
            raise Busy(f"another request writes to the upload {upload}")
        row.holder, row.held_until = holder, until
        row.upload = replace(row.upload, updated_at=now)
        return row.upload

    async def leave(self, upload: str, *, holder: str, offset: int, digest: Digest | None) -> None:
        row = self._held(upload, holder)
        row.holder, row.held_until = "", None
        now = self._state.now()
        row.upload = replace(row.upload, offset=offset, digest=digest, updated_at=now)

    async def room(self, repository: int) -> Room | None:
        row = self._state.repositories.get(repository)
        if row is None or (quota := self._state.namespaces[row.namespace].quota) is None:
            return None
        return Room(row.namespace, quota, self._state.used(row.namespace))

    async def known(self, digest: Digest) -> Known | None:
        blob = self._state.blobs.get(digest)
        return None if blob is None else Known(blob.key, blob.size)

    async def finish(
        self,
        upload: str,
        *,
        holder: str,
        digest: Digest,
        size: int,
        until: datetime,
        lost: str | None = None,
    ) -> Blob:
        found = self._held(upload, holder).upload
        repository = self._state.there(found.repository)
        del self._state.uploads[upload]
        within = self._state.within(repository.namespace)
        if not any(digest in one.links for one in within):
            try:
                self._state.check_room(repository.namespace, size)
            except QuotaExceeded:
                self._state.drop(found.key)
                raise
        known = self._state.blobs.get(digest)
        if known is not None and known.key != lost:
            self._state.drop(found.key)
        else:
            self._state.blobs[digest] = Blob(digest, size, found.key, None)
        if known is not None and known.key == lost:
            self._state.drop(known.key)
        self._state.link(repository, digest, until)
        return self._state.blob(repository, digest)

    async def cancel(self, upload: str, *, repository: int, owner: str) -> None:
        self._end(self._owned(upload, repository, owner))

    def _end(self, row: UploadRow) -> None:
        del self._state.uploads[row.upload.id]
        self._state.drop(row.upload.key)

    async def cancel_idle(self, before: datetime, limit: int) -> Sequence[str]:
        now = self._state.now()
        idle = [
            row
            for row in self._state.uploads.values()
            if row.upload.updated_at < before and (row.held_until is None or row.held_until <= now)
        ]
        idle.sort(key=lambda row: row.upload.updated_at)
        for row in idle[:limit]:
            self._end(row)
        return [row.upload.id for row in idle[:limit]]
