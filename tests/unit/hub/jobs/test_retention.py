"""Which tags a repository keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nacre.hub.jobs.retention import BY, Doomed, Retainer, not_kept
from nacre.hub.registry.manifests import Tag
from nacre.hub.repositories.policy import Policy, Retention
from nacre.hub.repositories.repository import Repository
from nacre.oci.digest import Digest
from nacre.testing.hub_bytes import MemoryPlace
from nacre.testing.hub_records import MemoryRecords
from tests.unit.hub.jobs.stocked import Pusher

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DIGEST = Digest.of(b"")


def tag(name: str, pushed: int, pulled: int | None = None) -> Tag:
    """A tag pushed and pulled so many days ago."""
    pulled_at = None if pulled is None else NOW - timedelta(days=pulled)
    return Tag(name, DIGEST, NOW - timedelta(days=pushed), pulled_at, "")


def gone(tags: list[Tag], *, immutable: str = "", **rules: object) -> list[str]:
    policy = Policy(immutable=immutable, retention=Retention(**rules))  # type: ignore[arg-type]
    return [each.name for each in not_kept(tags, policy, NOW)]


TAGS = [tag("new", 1), tag("mid", 10), tag("old", 100, pulled=3), tag("v1", 200)]


def test_without_rules_everything_is_kept() -> None:
    assert gone(TAGS) == []


def test_the_last_are_kept_by_when_they_were_pushed() -> None:
    assert gone(TAGS, last=2) == ["old", "v1"]
    assert gone(list(reversed(TAGS)), last=2) == ["v1", "old"]
    assert gone(TAGS, last=0) == ["new", "mid", "old", "v1"]


def test_what_was_pushed_lately_is_kept() -> None:
    assert gone(TAGS, pushed_within=timedelta(days=10)) == ["old", "v1"]


def test_what_was_pulled_lately_is_kept_and_a_push_counts_as_a_pull() -> None:
    assert gone(TAGS, pulled_within=timedelta(days=5)) == ["mid", "v1"]


def test_a_pattern_must_match_the_whole_tag() -> None:
    assert gone(TAGS, matching="v[0-9]") == ["new", "mid", "old"]
    assert gone([tag("v10", 1)], matching="v[0-9]") == ["v10"]


def test_one_rule_is_enough_to_stay() -> None:
    assert gone(TAGS, last=1, matching="v1") == ["mid", "old"]


def test_tags_that_may_not_change_are_kept_in_any_case() -> None:
    assert gone(TAGS, last=0, immutable="v.*") == ["new", "mid", "old"]


days = st.integers(0, 400)


@given(
    st.lists(st.builds(tag, st.text("abc", min_size=1, max_size=3), days, st.none() | days)),
    st.none() | st.integers(0, 5),
    st.none() | days.map(lambda number: timedelta(days=number)),
)
def test_more_rules_never_delete_more(
    tags: list[Tag], last: int | None, within: timedelta | None
) -> None:
    unique = list({each.name: each for each in tags}.values())
    for fewer in ({"last": last}, {"pushed_within": within}):
        if next(iter(fewer.values())) is not None:
            assert set(gone(unique, last=last, pushed_within=within)) <= set(gone(unique, **fewer))


class Case:
    """A hub, and what retention does in it."""

    def __init__(self) -> None:
        self.records = MemoryRecords(now=lambda: NOW)
        self.pusher = Pusher(self.records, MemoryPlace(), lambda: NOW)

    def retainer(self, immutable: str = "") -> Retainer:
        return Retainer(
            self.records.inventory, self.records.manifests, immutable=immutable, now=lambda: NOW
        )

    async def repository(self, name: str, *tags: str, **rules: object) -> Repository:
        made = await self.pusher.repository(name)
        for each in tags:
            await self.pusher.image(made, each.encode(), tags=(each,))
        policy = Policy(retention=Retention(**rules))  # type: ignore[arg-type]
        return await self.records.repositories.change(name, policy=policy)

    async def tags(self, repository: Repository) -> list[str]:
        return list(await self.records.manifests.tags(repository.id, after="", limit=100))


def run(scenario: Callable[[Case], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario(Case())

    asyncio.run(main())


def test_only_repositories_with_rules_are_gone_through() -> None:
    async def scenario(case: Case) -> None:
        for number in range(1200):
            await case.pusher.repository(f"team/app{number:04}")
        for number in (3, 999, 1000, 1199):
            await case.repository(f"team/app{number:04}", last=1)
        found = [repository.name async for repository in case.retainer().repositories()]
        assert found == ["team/app0003", "team/app0999", "team/app1000", "team/app1199"]

    run(scenario)


def test_what_is_not_kept_is_deleted_and_can_be_restored() -> None:
    async def scenario(case: Case) -> None:
        app = await case.repository("team/app", "a", "b", "v1", matching="v.*")
        assert [each.tag.name for each in await case.retainer().doomed(app)] == ["a", "b"]
        assert await case.tags(app) == ["a", "b", "v1"]
        deleted = await case.retainer().retain(app)
        assert [each.tag.name for each in deleted] == ["a", "b"]
        assert await case.tags(app) == ["v1"]
        (event, *_) = await case.records.manifests.history(app.id, "a", 1)
        assert event.by == BY
        digest = deleted[0].tag.digest
        await case.records.manifests.restore(app.id, "a", digest, by="bob")
        assert await case.tags(app) == ["a", "v1"]

    run(scenario)


def test_what_the_whole_hub_keeps_still_stays() -> None:
    async def scenario(case: Case) -> None:
        app = await case.repository("team/app", "a", "v1", last=0)
        deleted = await case.retainer("v.*").retain(app)
        assert [each.tag.name for each in deleted] == ["a"]

    run(scenario)


def test_a_tag_that_is_pushed_anew_meanwhile_stays() -> None:
    async def scenario(case: Case) -> None:
        app = await case.repository("team/app", "a", "b", last=0)

        class Slow(Retainer):
            """Somebody pushes between the decision and the deletion."""

            async def doomed(self, repository: Repository) -> list[Doomed]:
                found = await super().doomed(repository)
                await case.pusher.image(repository, b"new", tags=("a",))
                return found

        retainer = Slow(case.records.inventory, case.records.manifests, now=lambda: NOW)
        assert [each.tag.name for each in await retainer.retain(app)] == ["b"]
        assert await case.tags(app) == ["a"]

    run(scenario)
