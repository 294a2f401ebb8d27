"""Receiving blobs: what happens to an upload at each of its requests.

A request that fails with an answer has changed nothing: the upload stands where it stood, and the
same request may be sent again. A client that just goes away left no one to answer: then what it
sent stays, and it can ask where to go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from nacre.errors import NacreError, NotFound
from nacre.hub.errors import (
    BlobUploadUnknown,
    Busy,
    DigestInvalid,
    OutOfSpace,
    QuotaExceeded,
    TooLarge,
)
from nacre.hub.registry.chunk import Chunk, Interrupted
from nacre.hub.registry.hashing import RunningHashes, read_again
from nacre.hub.registry.holding import Held, holding
from nacre.hub.registry.pouring import Pouring
from nacre.hub.registry.progress import Progress
from nacre.hub.registry.threads import in_thread
from nacre.hub.registry.uploads import Room, Upload, Uploads
from nacre.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nacre.hub.registry.blobs import Blob
    from nacre.hub.registry.byteplace import BytePlace
    from nacre.hub.registry.rules import Rules


class Receiving:
    """The rules of uploads.

    Args:
        uploads: their records.
        place: where their bytes go.
        rules: limits and times.
        now: the time, UTC.
        new_id: makes texts that nobody can guess, for URLs: letters, digits, ``-`` and ``_``.
    """

    def __init__(
        self,
        uploads: Uploads,
        place: BytePlace,
        *,
        rules: Rules,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._uploads = uploads
        self._place = place
        self._rules = rules
        self._now = now
        self._new_id = new_id
        self._hashes = RunningHashes()
        self._writers = 0

    async def start(self, repository: int, owner: str, algorithm: str = "sha256") -> Upload:
        """Start an upload whose digest will be of ``algorithm``, as far as is known."""
        upload = Upload(
            id=self._new_id(),
            repository=repository,
            owner=owner,
            key=self._place.new_key(),
            offset=0,
            algorithm=algorithm,
            digest=None,
            updated_at=self._now(),
        )
        await self._uploads.start(upload)
        return upload

    async def status(self, upload: str, *, repository: int, owner: str) -> Upload:
        """Return an upload, for its offset.

        Raises:
            BlobUploadUnknown: there is none of this repository and owner.
        """
        return await self._uploads.find(upload, repository=repository, owner=owner)

    async def cancel(self, upload: str, *, repository: int, owner: str) -> None:
        """End an upload.

        Raises:
            BlobUploadUnknown: there is none of this repository and owner.
        """
        await self._uploads.cancel(upload, repository=repository, owner=owner)

    async def append(self, upload: str, chunk: Chunk, *, repository: int, owner: str) -> int:
        """Add a chunk, and return the new offset.

        Raises:
            BlobUploadUnknown: there is no such upload of this repository and owner, or its bytes
                were lost, which ends it.
            OutOfOrder: the chunk is not the next one; the upload stays as it is.
            SizeInvalid: the chunk is not as long as announced; the upload stays as it is.
            TooLarge: the blob would be larger than this hub takes.
            QuotaExceeded: or than its namespace has room for; the upload stays as it is.
            Interrupted: the client went away; the offset has moved as far as bytes came.
            Busy, OutOfSpace: this cannot be done now.
        """
        async with self._held(upload, repository, owner) as held:
            progress = self._progress(held.upload, held.upload.algorithm)
            async with self._given_back(held, progress):
                await self._pour(held, chunk, progress)
            await self._leave(held, progress)
            return progress.offset

    async def finish(
        self, upload: str, chunk: Chunk, digest: Digest, *, repository: int, owner: str
    ) -> Blob:
        """Add the last chunk and turn the upload into a blob of the repository.

        Raises:
            DigestInvalid: the bytes have another digest; the upload is over.
            QuotaExceeded: the namespace has no room; the upload is over.
            Others as `append`.
        """
        async with self._held(upload, repository, owner) as held:
            progress = self._progress(held.upload, digest.algorithm)
            async with self._given_back(held, progress):
                # Also with no bytes to add: this cuts off what a lost request left behind.
                await self._pour(held, chunk, progress)
                await self._check_digest(held, progress, digest)
                await in_thread(self._seal, held.upload.key, progress.offset)
                lost = await self._lost(digest)
                held.check()
                return await self._uploads.finish(
                    upload,
                    holder=held.holder,
                    digest=digest,
                    size=progress.offset,
                    until=self._now() + self._rules.life,
                    lost=lost,
                )

    async def whole(self, repository: int, owner: str, chunk: Chunk, digest: Digest) -> Blob:
        """Receive a blob in one request (distribution-spec 1.1, "Single POST").

        Raises:
            As `finish`; the upload is over then, for nobody knows its id.
        """
        upload = await self.start(repository, owner, digest.algorithm)
        try:
            return await self.finish(upload.id, chunk, digest, repository=repository, owner=owner)
        except BaseException:
            with suppress(NacreError):
                await self.cancel(upload.id, repository=repository, owner=owner)
            raise

    async def has(self, blob: Blob) -> bool:
        """Say whether the bytes of a blob are there, as far as their number tells."""
        return await in_thread(self._place.size, blob.key) == blob.size

    def _seal(self, key: str, size: int) -> None:
        """Make bytes durable; blocks.

        Raises:
            Busy: they are not all there: somebody took them away since they were written.
        """
        self._place.seal(key)
        if self._place.size(key) != size:
            raise Busy("bytes of the upload were lost", remedy="start it again")

    async def _lost(self, digest: Digest) -> str | None:
        """Return the key that a digest's bytes are recorded under, if they are not there.

        Then what was pushed now must not be thrown away as known.
        """
        known = await self._uploads.known(digest)
        if known is None or await in_thread(self._place.size, known.key) == known.size:
            return None
        return known.key

    @asynccontextmanager
    async def _held(self, upload: str, repository: int, owner: str) -> AsyncIterator[Held]:
        with self._writer():
            async with holding(
                self._uploads,
                upload,
                repository=repository,
                owner=owner,
                holder=self._new_id(),
                now=self._now,
                lease=self._rules.lease,
            ) as held:
                yield held

    @contextmanager
    def _writer(self) -> Iterator[None]:
        """Count those who write, so that their buffers never need more memory than planned."""
        if self._writers >= self._rules.writers:
            raise Busy("too many uploads are being written", remedy="try again soon")
        self._writers += 1
        try:
            yield
        finally:
            self._writers -= 1

    def _progress(self, upload: Upload, algorithm: str) -> Progress:
        # With nothing received yet, the digest that is wanted decides; after that, the upload.
        wanted = upload.algorithm if upload.offset else algorithm
        return Progress(upload, self._hashes.take(upload.id, upload.offset, wanted))

    async def _pour(self, held: Held, chunk: Chunk, progress: Progress) -> None:
        chunk.check_start(progress.offset)
        start = progress.offset
        room = await self._uploads.room(held.upload.repository)
        if chunk.length:
            self._check_size(start + chunk.length, room)
        pouring = Pouring(self._place, held.upload.key, start, progress.running)
        coming = start
        try:
            async with pouring:
                async for data in chunk.body:
                    coming += len(data)
                    self._check_size(coming, room)
                    held.check()
                    await pouring.put(data)
        except NotFound:
            await self._end(held.upload)
            raise BlobUploadUnknown(
                "the bytes of this upload were lost", remedy="start it again"
            ) from None
        finally:
            if pouring.offset > start:
                progress.recorded = None
            progress.offset = pouring.offset
        chunk.check_end(progress.offset - start)

    def _check_size(self, size: int, room: Room | None) -> None:
        """Return if a blob may be so large: asked before more of it is written.

        The records decide again when it is recorded, for what others pushed meanwhile.
        """
        limit = self._rules.blob_limit
        if limit and size > limit:
            raise TooLarge(f"blobs here are at most {limit} bytes")
        if room is not None:
            room.check(size)

    async def _check_digest(self, held: Held, progress: Progress, digest: Digest) -> None:
        found = progress.digest(digest.algorithm)
        if found is None:
            found = await read_again(
                self._place, held.upload.key, progress.offset, digest.algorithm, check=held.check
            )
        if found != digest:
            await self._end(held.upload)
            raise DigestInvalid(
                "provided digest did not match uploaded content",
                detail={"digest": digest, "received": found},
            )

    async def _end(self, upload: Upload) -> None:
        await self._uploads.cancel(upload.id, repository=upload.repository, owner=upload.owner)

    @asynccontextmanager
    async def _given_back(self, held: Held, progress: Progress) -> AsyncIterator[None]:
        """Give the upload back when the request fails: as it was, or as far as bytes came."""
        try:
            yield
        except BaseException as error:
            if not isinstance(error, Interrupted | asyncio.CancelledError):
                if progress.offset != held.upload.offset:
                    progress.running = None
                progress.offset, progress.recorded = held.upload.offset, held.upload.digest
                if isinstance(error, OutOfSpace | QuotaExceeded | TooLarge) and held.lost is None:
                    await self._cut_off(held.upload)
            with suppress(NacreError):
                await self._leave(held, progress)
            raise

    async def _cut_off(self, upload: Upload) -> None:
        """Give the disk back what a request wrote that may not stay; others need it."""

        def cut() -> None:
            with self._place.append(upload.key, upload.offset):
                pass

        with suppress(NacreError):
            await in_thread(cut)

    async def _leave(self, held: Held, progress: Progress) -> None:
        await held.stop_renewing()
        running = progress.running
        known = running.digest if running is not None else progress.recorded
        await self._uploads.leave(
            held.upload.id, holder=held.holder, offset=progress.offset, digest=known
        )
        if running is not None:
            self._hashes.keep(held.upload.id, running)
