"""Garbage collection: small steps beside all other work, never a pause.

See `nacre.hub.jobs.queue` for what is looked at and in which order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from nacre.hub.jobs.queue import Collected, Garbage, Kind
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.uploads import Uploads

_STEP = 100
"""How many entries one transaction looks at: few, so that pushes wait only milliseconds."""
_TRASH_STEP = 1000
Clock = Callable[[], datetime]


class Collector:
    """Removes what nobody needs any more.

    Args:
        garbage: the queue.
        uploads: so that those which were left behind end.
        place: where the bytes are deleted.
        upload_idle: after how long an upload counts as left behind.
        now: the clock, with its zone.
    """

    def __init__(
        self,
        garbage: Garbage,
        uploads: Uploads,
        place: BytePlace,
        *,
        upload_idle: timedelta,
        now: Clock,
    ) -> None:
        self._garbage = garbage
        self._uploads = uploads
        self._place = place
        self._upload_idle = upload_idle
        self._now = now

    async def collect(self) -> Collected:
        """Do all that is due now, and return what was removed."""
        await self._end_idle_uploads()
        removed = Collected()
        for kind in Kind:
            while True:
                looked_at, more = await self._garbage.review(kind, self._now(), _STEP)
                removed += more
                if looked_at < _STEP:
                    break
                # Let requests in between two steps.
                await asyncio.sleep(0)
        await self.empty_trash()
        return removed

    async def collect_at_once(self, *, spare: timedelta) -> Collected:
        """Do all that could become due by waiting, and return what was removed.

        What somebody was told of less than ``spare`` ago is left alone, and so is the trash; zero
        spares nothing, which nobody may push or pull beside.
        """
        removed = Collected()
        while True:
            await self._garbage.hasten(self._now(), spare=spare)
            more = await self.collect()
            if more == Collected():
                return removed
            removed += more

    async def empty_trash(self) -> int:
        """Delete the bytes that are due; return how many keys. What fails is tried again later."""
        deleted = 0
        while keys := await self._garbage.trash(self._now(), _TRASH_STEP):
            failed = set(await asyncio.to_thread(self._place.delete, keys))
            gone = [key for key in keys if key not in failed]
            await self._garbage.forget_trash(gone)
            deleted += len(gone)
            if failed:
                break
        return deleted

    async def _end_idle_uploads(self) -> None:
        before = self._now() - self._upload_idle
        while len(await self._uploads.cancel_idle(before, _STEP)) == _STEP:
            await asyncio.sleep(0)
