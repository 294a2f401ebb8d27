"""New records from a journal: everything that was there, and nothing that was not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nacre.hub.jobs.journal import Entry, Extent, Told
from nacre.hub.jobs.journalling import Scribe
from nacre.hub.rebuilding import Rebuilder, Rebuilt
from nacre.hub.records import Records
from nacre.hub.registry.manifests import Terms
from nacre.hub.repositories.policy import Policy, Retention
from nacre.hub.repositories.repository import Visibility
from nacre.hub.storage.journal import FolderJournal
from nacre.testing.hub_bytes import MemoryPlace
from nacre.testing.hub_records import MemoryRecords
from tests.unit.hub.jobs.stocked import Pusher

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(immutable="v.*", retention=Retention(last=3, pushed_within=timedelta(days=9)))


def now() -> datetime:
    return NOW


async def stock(pusher: Pusher) -> None:
    """Fill a hub with a bit of everything, some of it changed or removed again."""
    records = pusher.records
    app = await pusher.repository("team/app")
    private = await pusher.repository("team/private", Visibility.PRIVATE)
    far = await pusher.repository("far/away")
    image = await pusher.image(app, b"layer", b"", tags=("v1", "latest"))
    await pusher.image(app, b"layer", b"more", tags=("v2",), by="bob")
    await pusher.image(app, b"layer", b"newest", tags=("latest",))
    arm = await pusher.image(app, b"arm", algorithm="sha512")
    inner = await pusher.index(app, image, arm)
    await pusher.index(app, inner, tags=("all",))
    await pusher.image(app, b"signature", subject=image)
    await pusher.image(private, b"secret", b"layer", tags=("v1",))
    secret = await pusher.blob(private, b"not named by any manifest")
    await records.blobs.mount(far.id, secret, sources=None, until=NOW + timedelta(days=1))
    gone = await pusher.image(far, b"gone", tags=("gone", "kept"))
    await records.manifests.delete_tag(far.id, "gone", terms=Terms(by="bob"))
    deleted = await pusher.image(far, b"deleted", tags=("deleted",))
    await records.manifests.delete(far.id, deleted.digest, terms=Terms(by="bob"))
    await pusher.index(await pusher.repository("sparse/app"), gone, tags=("v1",))
    await pusher.image(await pusher.repository("far/removed"), b"removed", tags=("v1",))
    await records.repositories.remove("far/removed")
    await records.repositories.change("far/away", visibility=Visibility.PRIVATE, policy=POLICY)
    await records.repositories.change_namespace(
        "team", visibility=Visibility.PRIVATE, policy=POLICY, quota=1_000_000
    )


async def picture(records: Records) -> dict[str, Any]:
    """Return all that clients can see of a hub."""
    seen: dict[str, Any] = {
        space.name: (space.visibility, space.policy, space.quota, space.used)
        for space in await records.repositories.namespaces()
    }
    for repository in await records.inventory.repositories(after="", limit=1000):
        seen[repository.name] = (repository.visibility, repository.policy)
        for tag in await records.manifests.tag_list(repository.id):
            seen[f"{repository.name}:{tag.name}"] = (tag.digest, tag.by)
    for held in await records.inventory.manifests(after=(0, ""), limit=1000):
        referrers = await records.manifests.referrers(
            held.repository, held.digest, artifact_type="", after="", limit=100
        )
        facts = (held.media_type, held.raw, held.named, held.loose, held.missing)
        seen[f"{held.name}@{held.digest}"] = (*facts, referrers)
    for blob in await records.inventory.blobs(after="", limit=1000):
        for repository in await records.inventory.repositories(after="", limit=1000):
            found = await records.blobs.find(repository.id, blob.digest)
            if found is not None:
                seen[f"{repository.name}@{blob.digest}"] = found.expires_at is None
                seen[blob.digest] = blob
    return seen


class Case:
    def __init__(self, tmp_path: Path) -> None:
        self.place = MemoryPlace(now)
        self.records = MemoryRecords(now)
        self.journal = FolderJournal(tmp_path / "journal")
        self.pusher = Pusher(self.records, self.place, now)
        self.scribe = Scribe(self.records.outbox, self.journal)

    async def rebuilt(self, *, verify: bool = False) -> tuple[MemoryRecords, Rebuilt]:
        made = MemoryRecords(now)
        rebuilder = Rebuilder(made, self.journal, self.place, now=now, verify=verify)
        return made, await rebuilder.rebuild()


def test_everything_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        case = Case(tmp_path)
        await case.scribe.write()
        await stock(case.pusher)
        await case.scribe.write()
        made, done = await case.rebuilt(verify=True)
        assert done.problems == []
        assert await picture(made) == await picture(case.records)
        assert (done.repositories, done.tags) == (4, 7)
        assert await made.outbox.waiting(1) == [], "the journal knows it all"

    asyncio.run(scenario())


def test_a_journal_that_began_anew_tells_the_same(tmp_path: Path) -> None:
    async def scenario() -> None:
        case = Case(tmp_path)
        await stock(case.pusher)
        await case.scribe.write()
        made, done = await case.rebuilt()
        assert done.problems == []
        assert await picture(made) == await picture(case.records)

    asyncio.run(scenario())


def test_a_rebuilt_hub_goes_on_with_its_journal(tmp_path: Path) -> None:
    async def scenario() -> None:
        case = Case(tmp_path)
        await case.scribe.write()
        await stock(case.pusher)
        await case.scribe.write()
        made, _ = await case.rebuilt()
        pusher = Pusher(made, case.place, now)
        app = await pusher.repository("team/app")
        await pusher.image(app, b"after", tags=("after",))
        await made.manifests.delete_tag(app.id, "all", terms=Terms(by="bob"))
        await Scribe(made.outbox, case.journal).write()
        again, done = await case.rebuilt()
        assert done.problems == []
        assert await picture(again) == await picture(made)

    asyncio.run(scenario())


def test_missing_bytes_are_told_and_everything_else_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        case = Case(tmp_path)
        app = await case.pusher.repository("team/app")
        image = await case.pusher.image(app, b"layer", tags=("v1",))
        lost = await case.pusher.blob(app, b"layer")
        blob = await case.records.inventory.blob(lost)
        assert blob is not None
        case.place.delete([blob.key])
        await case.scribe.write()
        made, done = await case.rebuilt()
        assert done.problems == [f"blob {lost}: its bytes are gone"]
        (held,) = await made.inventory.manifests(after=(0, ""), limit=9)
        assert held.digest == image.digest
        assert held.missing == {lost}
        number = (await made.repositories.ensure("team/app", Visibility.PUBLIC)).id
        stored = await made.manifests.by_tag(number, "v1")
        assert stored is not None

    asyncio.run(scenario())


def test_changed_bytes_are_found_when_they_are_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        case = Case(tmp_path)
        app = await case.pusher.repository("team/app")
        digest = await case.pusher.blob(app, b"layer")
        blob = await case.records.inventory.blob(digest)
        assert blob is not None
        with case.place.append(blob.key, 0) as writing:
            writing.write(b"LAYER")
        await case.scribe.write()
        assert (await case.rebuilt())[1].problems == []
        (problem,) = (await case.rebuilt(verify=True))[1].problems
        assert problem.startswith(f"blob {digest}: its bytes have the digest sha256:")

    asyncio.run(scenario())


class Listed:
    """A journal of these entries."""

    def __init__(self, *entries: tuple[Told, dict[str, Any]]) -> None:
        self._entries = [Entry(number, *entry) for number, entry in enumerate(entries)]

    def append(self, entries: Sequence[Entry]) -> None:
        self._entries += entries

    def begin_anew(self, entries: Iterable[Entry]) -> None:
        self._entries = list(entries)

    def extent(self) -> Extent | None:
        return Extent(len(self._entries), 0)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)


def rebuilt_from(*entries: tuple[Told, dict[str, Any]]) -> tuple[dict[str, Any], Rebuilt]:
    async def main() -> tuple[dict[str, Any], Rebuilt]:
        made = MemoryRecords(now)
        done = await Rebuilder(made, Listed(*entries), MemoryPlace(now), now=now).rebuild()
        return await picture(made), done

    return asyncio.run(main())


DIGEST = "sha256:" + "0" * 64


def test_a_repository_that_is_not_introduced_is_private() -> None:
    seen, done = rebuilt_from((Told.LINK, {"repository": "team/app", "digest": DIGEST}))
    assert seen["team/app"][0] is Visibility.PRIVATE
    assert done.problems == [f"blob {DIGEST}: the journal has no key"]


def test_a_tag_whose_manifest_is_not_told_is_a_problem() -> None:
    facts = {"repository": "team/app", "name": "v1", "digest": DIGEST, "by": "bob"}
    _, done = rebuilt_from((Told.TAG, facts))
    assert done.problems == [f"tag team/app:v1: the journal has no manifest {DIGEST}"]


def test_a_manifest_that_is_not_what_its_digest_says_is_a_problem() -> None:
    facts = {"repository": "team/app", "digest": DIGEST, "media_type": "", "raw": "e30="}
    _, done = rebuilt_from((Told.MANIFEST, facts))
    (problem,) = done.problems
    assert problem.startswith(f"manifest team/app@{DIGEST}: ")


def test_damage_is_told_and_the_rest_comes_back() -> None:
    seen, done = rebuilt_from(
        (Told.UNREADABLE, {"where": "line 1"}),
        (Told.LINK, {"repository": "team/app"}),
        (Told.BLOB, {"digest": "nonsense"}),
        (Told.MANIFEST, {}),
        (Told.REPOSITORY, {"name": "team/app", "visibility": "public", "policy": {}}),
    )
    assert seen["team/app"][0] is Visibility.PUBLIC
    assert len(done.problems) == 4
    assert all(problem.startswith("the journal is damaged") for problem in done.problems)
