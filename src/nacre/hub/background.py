"""The background work of a hub, put together."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import timedelta

from nacre.hub.api.metrics import Metrics
from nacre.hub.auth.signing import KeyRing
from nacre.hub.configuration.options import Options
from nacre.hub.jobs.collecting import Collector
from nacre.hub.jobs.journal import Journal
from nacre.hub.jobs.journalling import Scribe
from nacre.hub.jobs.pulls import Pulls
from nacre.hub.jobs.retention import Retainer
from nacre.hub.jobs.runner import Job, Runner
from nacre.hub.logs import Log
from nacre.hub.opening import now
from nacre.hub.records import Records
from nacre.hub.registry.byteplace import BytePlace

_Work = Callable[[], Awaitable[Mapping[str, object]]]

_PULLS_INTERVAL = timedelta(minutes=1)
_KEYS_INTERVAL = timedelta(hours=1)


@asynccontextmanager
async def background(
    options: Options,
    records: Records,
    place: BytePlace,
    journal: Journal,
    log: Log,
    *,
    pulls: Pulls,
    ring: KeyRing,
    metrics: Metrics,
) -> AsyncIterator[None]:
    """Do a hub's work in the background until it is left; what was pulled by then is noted."""

    def report(job: str, said: Mapping[str, object]) -> None:
        log.line("job", {"job": job, **said})

    jobs = _jobs(options, records, place, journal, pulls=pulls, ring=ring, metrics=metrics)
    holder = f"{os.uname().nodename}:{os.getpid()}:{time.monotonic_ns()}"
    async with Runner(jobs, records.leases, holder=holder, report=report, now=now):
        yield
        with suppress(Exception):
            await pulls.write()


def _jobs(
    options: Options,
    records: Records,
    place: BytePlace,
    journal: Journal,
    *,
    pulls: Pulls,
    ring: KeyRing,
    metrics: Metrics,
) -> list[Job]:
    collection = options.collection
    collector = Collector(
        records.garbage, records.uploads, place, upload_idle=collection.upload_idle, now=now
    )
    retainer = Retainer(
        records.inventory, records.manifests, immutable=options.registry.immutable, now=now
    )
    scribe = Scribe(records.outbox, journal)
    return [
        Job("collect", collection.interval, _collecting(collector, metrics)),
        Job("journal", collection.journal, scribe.write, scribe.is_wanted),
        Job("retention", collection.retention_interval, _retaining(retainer, pulls)),
        Job("pulls", _PULLS_INTERVAL, pulls.write),
        Job("keys", _KEYS_INTERVAL, _rotating(ring, options)),
    ]


def _collecting(collector: Collector, metrics: Metrics) -> _Work:
    async def collect() -> Mapping[str, object]:
        counts = asdict(await collector.collect())
        for kind, number in counts.items():
            metrics.collected.labels(kind).inc(number)
        return counts if any(counts.values()) else {}

    return collect


def _retaining(retainer: Retainer, pulls: Pulls) -> _Work:
    async def retain() -> Mapping[str, object]:
        # What was pulled a moment ago counts.
        await pulls.write()
        deleted = 0
        async for repository in retainer.repositories():
            deleted += len(await retainer.retain(repository))
        return {"tags": deleted} if deleted else {}

    return retain


def _rotating(ring: KeyRing, options: Options) -> _Work:
    longest = max(options.auth.token_life, options.auth.refresh_life)

    async def rotate() -> Mapping[str, object]:
        rotated = await ring.rotate(every=options.auth.key_life, longest_life=longest)
        return {"rotated": True} if rotated else {}

    return rotate
