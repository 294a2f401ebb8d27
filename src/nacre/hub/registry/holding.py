"""An upload that one request holds: its lease is renewed for as long as the request works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from nacre.errors import NacreError
from nacre.hub.registry.uploads import Upload, Uploads


class Held:
    """An upload in one request's hands; ``holder`` is unique for the request."""

    def __init__(self, upload: Upload, holder: str) -> None:
        self.upload = upload
        self.holder = holder
        self.lost: NacreError | None = None
        self.renewing: asyncio.Future[None] | None = None

    async def stop_renewing(self) -> None:
        """Renew the lease no more: before it is given back, or it would be taken anew after that.

        A renewal that was asked for already comes first: writes are done in order.
        """
        if self.renewing is not None:
            self.renewing.cancel()
            await asyncio.wait([self.renewing])

    def check(self) -> None:
        """Return while the upload is still held.

        Raises:
            BlobUploadUnknown: it was cancelled.
            Busy: another request has it, or the records cannot be reached.
        """
        if self.lost is not None:
            raise self.lost


@asynccontextmanager
async def holding(
    uploads: Uploads,
    upload: str,
    *,
    repository: int,
    owner: str,
    holder: str,
    now: Callable[[], datetime],
    lease: timedelta,
) -> AsyncIterator[Held]:
    """Take an upload and renew the lease until the end, which does not give it back.

    Raises:
        BlobUploadUnknown: there is none.
        Busy: another request has it.
    """

    async def take() -> Upload:
        return await uploads.take(
            upload, repository=repository, owner=owner, holder=holder, until=now() + lease
        )

    async def renew() -> None:
        while held.lost is None:
            await asyncio.sleep(lease.total_seconds() / 3)
            try:
                await take()
            except NacreError as error:
                held.lost = error

    held = Held(await take(), holder)
    held.renewing = asyncio.ensure_future(renew())
    try:
        yield held
    finally:
        await held.stop_renewing()
