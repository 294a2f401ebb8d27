"""Garbage collection from end to end, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from nacre.hub.jobs.collecting import Collector
from nacre.hub.registry.blobs import GRACE
from nacre.hub.registry.uploads import Upload
from nacre.hub.repositories.repository import Visibility
from nacre.oci.digest import Digest
from nacre.testing.hub_bytes import MemoryPlace
from nacre.testing.hub_records import MemoryRecords


class Hub:
    """Records and bytes whose clock a test moves."""

    def __init__(self, place: MemoryPlace | None = None) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)
        self.records = MemoryRecords(now=self.now)
        self.place = place or MemoryPlace(now=self.now)
        self.collector = Collector(
            self.records.garbage,
            self.records.uploads,
            self.place,
            upload_idle=timedelta(hours=24),
            now=self.now,
        )

    def now(self) -> datetime:
        return self.time

    async def upload(self, data: bytes, *, finish: bool = True) -> str:
        """Bring bytes into the repository; returns the key they are at."""
        repository = await self.records.repositories.ensure("team/app", Visibility.PUBLIC)
        key = self.place.new_key()
        upload = Upload(f"id-{key}", repository.id, "alice", key, 0, "sha256", None, self.time)
        await self.records.uploads.start(upload)
        with self.place.append(key, 0) as writing:
            writing.write(data)
        self.place.seal(key)
        soon = self.time + timedelta(minutes=1)
        taken = {"repository": repository.id, "owner": "alice"}
        await self.records.uploads.take(upload.id, **taken, holder="h", until=soon)  # type: ignore[arg-type]
        if finish:
            await self.records.uploads.finish(
                upload.id,
                holder="h",
                digest=Digest.of(data),
                size=len(data),
                until=self.time + GRACE,
            )
        else:
            await self.records.uploads.leave(upload.id, holder="h", offset=len(data), digest=None)
        return key

    def keys(self) -> set[str]:
        return {kept.key for kept in self.place}


def test_bytes_that_nothing_needs_go_but_not_before_their_time() -> None:
    async def scenario() -> None:
        hub = Hub()
        key = await hub.upload(b"layer")
        await hub.collector.collect()
        hub.time += GRACE - timedelta(hours=1)
        await hub.collector.collect()
        assert hub.keys() == {key}
        hub.time += timedelta(days=2)
        removed = await hub.collector.collect()
        assert (removed.links, removed.blobs, removed.bytes) == (1, 1, 5)
        # Readers that know the key have time to finish.
        assert hub.keys() == {key}
        hub.time += timedelta(days=1)
        await hub.collector.collect()
        assert hub.keys() == set()

    asyncio.run(scenario())


def test_an_upload_that_was_left_behind_ends_and_its_bytes_go() -> None:
    async def scenario() -> None:
        hub = Hub()
        await hub.upload(b"half", finish=False)
        hub.time += timedelta(hours=25)
        await hub.collector.collect()
        hub.time += timedelta(days=1)
        await hub.collector.collect()
        assert hub.keys() == set()

    asyncio.run(scenario())


class StubbornPlace(MemoryPlace):
    """A place that cannot delete for a while."""

    stubborn = True

    def delete(self, keys: Iterable[str]) -> Iterable[str]:
        return list(keys) if self.stubborn else super().delete(keys)


def test_what_could_not_be_deleted_is_tried_again() -> None:
    async def scenario() -> None:
        place = StubbornPlace()
        hub = Hub(place)
        key = await hub.upload(b"layer")
        for _ in range(3):
            hub.time += timedelta(days=2)
            await hub.collector.collect()
        assert hub.keys() == {key}
        place.stubborn = False
        assert await hub.collector.empty_trash() == 1
        assert hub.keys() == set()

    asyncio.run(scenario())
