"""The hub's background work: each job at its interval, in one process of the hub at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from nacre.errors import NacreError
from nacre.hub.errors import Busy
from nacre.hub.jobs.queue import Leases

_log = logging.getLogger(__name__)

_LEASE = timedelta(seconds=30)
"""How long a job stays a process's that was killed; one that lives renews it in time."""
_RENEWALS = 3  # in the time of a lease
Report = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Job:
    """Something done every ``interval``; ``run`` returns what is worth a line, or nothing.

    ``is_wanted`` is asked first, without a lease: a job that has nothing to do writes nothing.
    """

    name: str
    interval: timedelta
    run: Callable[[], Awaitable[Mapping[str, object]]]
    is_wanted: Callable[[], Awaitable[bool]] | None = None


class Runner:
    """Runs jobs until it is left.

    Args:
        jobs: those with an interval of zero are not run.
        leases: so that of many processes only one runs a job.
        holder: unique to this process.
        report: told what a job did, or why it failed; a failed job is tried again.
        now: the clock, with its zone.
        lease: how long a process keeps a job without a sign of life.
    """

    def __init__(
        self,
        jobs: list[Job],
        leases: Leases,
        *,
        holder: str,
        report: Report,
        now: Callable[[], datetime],
        lease: timedelta = _LEASE,
    ) -> None:
        self._jobs = [job for job in jobs if job.interval > timedelta(0)]
        self._leases = leases
        self._holder = holder
        self._report = report
        self._now = now
        self._lease = lease
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Begin."""
        self._tasks = [asyncio.create_task(self._repeat(job), name=job.name) for job in self._jobs]
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stop; a job that is under way is broken off, which it is made for."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _repeat(self, job: Job) -> None:
        while True:
            await asyncio.sleep(job.interval.total_seconds())
            try:
                await self.once(job)
            except NacreError as error:
                self._report(job.name, {"failed": str(error)})
            except Exception as error:  # noqa: BLE001
                # A mistake of ours in one job must not end it for ever, and the others with it.
                _log.exception("the job %s failed", job.name)
                self._report(job.name, {"failed": type(error).__name__})

    async def once(self, job: Job) -> None:
        """Run a job unless another process has it."""
        if job.is_wanted is not None and not await job.is_wanted():
            return
        if not await self._hold(job):
            return
        try:
            done = await self._while_held(job)
        finally:
            await self._leases.release(job.name, self._holder)
        if done:
            self._report(job.name, done)

    async def _hold(self, job: Job) -> bool:
        """Take or renew the lease; return whether it is ours."""
        now = self._now()
        return await self._leases.acquire(job.name, self._holder, now, now + self._lease)

    async def _while_held(self, job: Job) -> Mapping[str, object]:
        """Run a job, renewing its lease meanwhile.

        Raises:
            Busy: the lease was lost, as after a long sleep of the machine; the job is broken off.
        """
        working = asyncio.ensure_future(job.run())
        losing = asyncio.ensure_future(self._until_lost(job))
        try:
            await asyncio.wait((working, losing), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                losing.result()
                raise Busy(f"another process has taken over the job {job.name}")
            return working.result()
        finally:
            for task in (working, losing):
                task.cancel()
            await asyncio.wait((working, losing))

    async def _until_lost(self, job: Job) -> None:
        pause = (self._lease / _RENEWALS).total_seconds()
        await asyncio.sleep(pause)
        while await self._hold(job):
            await asyncio.sleep(pause)
