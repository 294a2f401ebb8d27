"""What a check finds, and what a repair does about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, TypeVar

import pytest

from nacre.hub.jobs.checking import Checker, Fault, Finding
from nacre.hub.registry.documents import read
from nacre.hub.registry.manifests import Manifest, Terms
from nacre.hub.repositories.repository import Repository
from nacre.testing.hub_bytes import MemoryPlace
from nacre.testing.hub_records import MemoryRecords
from tests.unit.hub.jobs.stocked import Pushed, Pusher

NOW = datetime(2026, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
T = TypeVar("T")


class Hub:
    def __init__(self) -> None:
        self.time = NOW - 2 * DAY
        self.records = MemoryRecords(now=lambda: self.time)
        self.place = MemoryPlace(now=lambda: self.time)
        self.pusher = Pusher(self.records, self.place, lambda: self.time)
        self.app: Repository
        self.image: Pushed

    async def fill(self) -> None:
        self.app = await self.pusher.repository("team/app")
        self.image = await self.pusher.image(self.app, b"layer", tags=("v1",))
        self.time = NOW

    async def key(self, data: bytes) -> str:
        digest = await self.pusher.blob(self.app, data)
        blob = await self.records.inventory.blob(digest)
        assert blob is not None
        return blob.key

    async def check(self, *, verify: bool = False, repair: bool = False) -> list[Finding]:
        checker = Checker(self.records.inventory, self.place, verify=verify, repair=repair)
        return [finding async for finding in checker.check(strays_before=NOW - DAY)]

    def write(self, key: str, data: bytes) -> None:
        with self.place.append(key, 0) as writing:
            writing.write(data)


def checked(scenario: Callable[[Hub], Awaitable[None]]) -> None:
    async def main() -> None:
        hub = Hub()
        await hub.fill()
        await scenario(hub)

    asyncio.run(main())


def test_a_sound_hub_has_no_findings() -> None:
    async def scenario(hub: Hub) -> None:
        await hub.pusher.index(hub.app, hub.image, tags=("index",))
        assert await hub.check(verify=True) == []

    checked(scenario)


@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_lost_bytes_are_found_and_forgotten_and_a_push_brings_them_again(damage: str) -> None:
    async def scenario(hub: Hub) -> None:
        key = await hub.key(b"layer")
        if damage == "gone":
            hub.place.delete([key])
        else:
            hub.write(key, b"lay" if damage == "cut" else b"LAYER")
        verify = damage == "changed"
        if verify:
            assert await hub.check() == [], "only the digest tells"
        (found,) = await hub.check(verify=verify)
        assert found.fault is (Fault.LOST if damage == "gone" else Fault.DAMAGED)
        assert (found.size, found.is_wrong) == (5, True)
        assert [each.fault for each in await hub.check(verify=verify)] == [found.fault]
        repaired, incomplete = await hub.check(verify=verify, repair=True)
        assert repaired == replace(found, is_repaired=True)
        assert incomplete.fault is Fault.INCOMPLETE
        assert incomplete.about == f"team/app@{hub.image.digest}"
        assert not repaired.is_wrong
        assert not incomplete.is_wrong
        await hub.pusher.blob(hub.app, b"layer")
        assert await hub.check(verify=True) == []

    checked(scenario)


def test_what_was_collected_meanwhile_is_not_lost() -> None:
    async def scenario(hub: Hub) -> None:
        class Collecting(MemoryPlace):
            """A blob goes just when somebody wants to look at it."""

            def open(self, key: str) -> BinaryIO:
                blobs = hub.records.inventory.blobs(after="", limit=100)
                digest = next(blob.digest for blob in _now(blobs) if blob.key == key)
                assert _now(hub.records.inventory.forget_lost(digest, key))
                return super().open(key)

        hub.place = Collecting()
        assert [each.fault for each in await hub.check()] == [Fault.INCOMPLETE] * 2

    checked(scenario)


def _now(work: Coroutine[Any, Any, T]) -> T:
    """Return what something returns that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    raise AssertionError


def test_bytes_without_a_record_are_stray_only_when_they_are_old() -> None:
    async def scenario(hub: Hub) -> None:
        hub.time = NOW - 2 * DAY
        hub.write("old", b"1234")
        hub.time = NOW - timedelta(hours=1)
        hub.write("young", b"5678")
        assert [(each.fault, each.about, each.size) for each in await hub.check()] == [
            (Fault.STRAY, "old", 4)
        ]
        (repaired,) = await hub.check(repair=True)
        assert repaired.is_repaired
        assert "old" not in {kept.key for kept in hub.place}
        assert "young" in {kept.key for kept in hub.place}
        assert await hub.check() == []

    checked(scenario)


def test_bytes_of_uploads_and_in_the_trash_are_not_stray() -> None:
    async def scenario(hub: Hub) -> None:
        hub.time = NOW - 5 * DAY
        await hub.pusher.blob(hub.app, b"twice")
        await hub.pusher.blob(hub.app, b"twice")
        assert sum(1 for _ in hub.place) == 4
        assert await hub.check() == []

    checked(scenario)


def test_references_that_are_recorded_wrong_are_mended() -> None:
    async def scenario(hub: Hub) -> None:
        stored = await hub.records.manifests.by_digest(hub.app.id, hub.image.digest)
        assert stored is not None
        right = read(stored.raw, stored.media_type)
        other = await hub.pusher.repository("team/other")
        for layer in (b"layer", b'{"architecture": "amd64", "os": "linux", "layers": 1}'):
            await hub.pusher.blob(other, layer)
        wrong: Manifest = replace(right, references=())
        await hub.records.manifests.put(other.id, wrong, tags=["v1"], terms=Terms(by="bob"))
        (found,) = await hub.check()
        assert (found.fault, found.is_wrong) == (Fault.UNSETTLED, True)
        assert found.about == f"team/other@{right.digest}"
        (repaired,) = await hub.check(repair=True)
        assert repaired.is_repaired
        assert await hub.check() == []

    checked(scenario)


def test_a_manifest_that_is_not_what_its_digest_says_is_told() -> None:
    async def scenario(hub: Hub) -> None:
        stored = await hub.records.manifests.by_digest(hub.app.id, hub.image.digest)
        assert stored is not None
        broken = replace(read(stored.raw, stored.media_type), raw=stored.raw.replace(b"2", b"3"))
        other = await hub.pusher.repository("team/other")
        terms = Terms(by="bob", sparse=True)
        await hub.records.manifests.put(other.id, broken, tags=[], terms=terms)
        for repair in (False, True):
            found = await hub.check(repair=repair)
            assert [(each.fault, each.is_wrong) for each in found] == [(Fault.UNREADABLE, True)]

    checked(scenario)


def test_a_manifest_that_was_pushed_sparse_is_told_but_not_wrong() -> None:
    async def scenario(hub: Hub) -> None:
        sparse = await hub.pusher.repository("sparse/app")
        await hub.pusher.index(sparse, hub.image, tags=("v1",))
        (found,) = await hub.check(repair=True)
        assert (found.fault, found.is_wrong) == (Fault.INCOMPLETE, False)

    checked(scenario)
