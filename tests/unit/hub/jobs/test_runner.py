"""Background work: at its interval, in one process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from nacre.hub.errors import Busy
from nacre.hub.jobs.pulls import Pulls
from nacre.hub.jobs.runner import Job, Runner
from nacre.testing.hub_records import MemoryRecords

SOON = timedelta(milliseconds=1)


def now() -> datetime:
    return datetime.now(UTC)


class Reports(list[tuple[str, Mapping[str, object]]]):
    def __call__(self, job: str, said: Mapping[str, object]) -> None:
        self.append((job, said))


def runner(records: MemoryRecords, job: Job, reports: Reports, holder: str = "me") -> Runner:
    return Runner([job], records.leases, holder=holder, report=reports, now=now)


def test_a_job_runs_again_and_again_until_the_runner_is_left() -> None:
    async def scenario() -> None:
        runs = 0
        enough = asyncio.Event()

        async def run() -> Mapping[str, object]:
            nonlocal runs
            runs += 1
            if runs == 3:
                enough.set()
            return {"run": runs}

        reports = Reports()
        async with runner(MemoryRecords(), Job("count", SOON, run), reports):
            await enough.wait()
        seen = runs
        await asyncio.sleep(0.02)
        assert runs == seen
        assert reports[:2] == [("count", {"run": 1}), ("count", {"run": 2})]

    asyncio.run(scenario())


def test_a_job_that_has_nothing_to_do_takes_no_lease() -> None:
    async def scenario() -> None:
        records, runs, asked = MemoryRecords(), 0, 0

        async def run() -> Mapping[str, object]:
            nonlocal runs
            runs += 1
            return {}

        async def is_wanted() -> bool:
            nonlocal asked
            asked += 1
            return asked > 1

        job = Job("carry", SOON, run, is_wanted)
        # Whoever has the lease does not matter while nothing is to be done.
        assert await records.leases.acquire("carry", "other", now(), now() + timedelta(hours=1))
        one = runner(records, job, Reports())
        await one.once(job)
        await records.leases.release("carry", "other")
        assert (asked, runs) == (1, 0)
        await one.once(job)
        assert (asked, runs) == (2, 1)

    asyncio.run(scenario())


def test_an_interval_of_zero_turns_a_job_off() -> None:
    async def scenario() -> None:
        reports = Reports()

        async def run() -> Mapping[str, object]:
            return {"ran": True}

        async with runner(MemoryRecords(), Job("never", timedelta(0), run), reports):
            await asyncio.sleep(0.01)
        assert reports == []

    asyncio.run(scenario())


def test_a_failed_job_says_so_and_is_tried_again() -> None:
    async def scenario() -> None:
        runs = 0
        again = asyncio.Event()

        async def run() -> Mapping[str, object]:
            nonlocal runs
            runs += 1
            if runs == 2:
                again.set()
            raise Busy("the records cannot be reached")

        reports = Reports()
        async with runner(MemoryRecords(), Job("hard", SOON, run), reports):
            await again.wait()
        assert reports[0] == ("hard", {"failed": "the records cannot be reached"})

    asyncio.run(scenario())


def test_one_process_at_a_time() -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        started, finish = asyncio.Event(), asyncio.Event()
        second_ran = False

        async def slow() -> Mapping[str, object]:
            started.set()
            await finish.wait()
            return {}

        async def second() -> Mapping[str, object]:
            nonlocal second_ran
            second_ran = True
            return {}

        slow_job, other_job = Job("gc", SOON, slow), Job("gc", SOON, second)
        one = asyncio.create_task(runner(records, slow_job, Reports(), "a").once(slow_job))
        await started.wait()
        other = runner(records, other_job, Reports(), "b")
        await other.once(other_job)
        assert not second_ran
        finish.set()
        await one
        await other.once(other_job)
        assert second_ran

    asyncio.run(scenario())


def test_pulls_are_written_down_together_and_once() -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        pulls = Pulls(records.manifests, now=now)
        pulls.note(1, "latest")
        pulls.note(1, "latest")
        assert await pulls.write() == {}
        assert await pulls.write() == {}

    asyncio.run(scenario())


def test_a_mistake_in_a_job_is_told_and_does_not_end_it_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        runs = 0
        enough = asyncio.Event()

        async def run() -> Mapping[str, object]:
            nonlocal runs
            runs += 1
            if runs == 3:
                enough.set()
            raise ZeroDivisionError

        reports = Reports()
        async with runner(MemoryRecords(), Job("count", SOON, run), reports):
            await enough.wait()
        assert reports[0] == ("count", {"failed": "ZeroDivisionError"})
        assert "the job count failed" in caplog.text

    asyncio.run(scenario())


def test_a_long_job_keeps_its_lease_and_a_dead_process_soon_loses_it() -> None:
    async def scenario() -> None:
        records, lease = MemoryRecords(), timedelta(milliseconds=30)
        started = asyncio.Event()

        async def long() -> Mapping[str, object]:
            started.set()
            await asyncio.sleep(0.2)
            return {"done": True}

        job, reports = Job("long", SOON, long), Reports()
        one = Runner([job], records.leases, holder="one", report=reports, now=now, lease=lease)
        running = asyncio.create_task(one.once(job))
        await started.wait()
        await asyncio.sleep(0.1)
        assert not await records.leases.acquire("long", "two", now(), now() + lease)
        await running
        assert reports == [("long", {"done": True})]
        # A process that is killed gives nothing back.
        assert await records.leases.acquire("long", "killed", now(), now() + lease)
        await asyncio.sleep(0.05)
        await one.once(job)
        assert len(reports) == 2

    asyncio.run(scenario())


def test_a_job_whose_lease_was_lost_is_broken_off() -> None:
    async def scenario() -> None:
        records, ended = MemoryRecords(), []

        async def endless() -> Mapping[str, object]:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("endless")
            return {}

        job = Job("endless", SOON, endless)
        one = Runner(
            [job],
            records.leases,
            holder="one",
            report=Reports(),
            now=now,
            lease=timedelta(milliseconds=30),
        )
        running = asyncio.create_task(one.once(job))
        await asyncio.sleep(0)
        late = now() + timedelta(hours=1)
        assert await records.leases.acquire("endless", "two", late, late + timedelta(hours=1))
        with pytest.raises(Busy, match="has taken over the job endless"):
            await running
        assert ended == ["endless"]

    asyncio.run(scenario())
