"""Records in SQL and in memory, side by side, through whatever can happen to a hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from nacre.hub.errors import QuotaExceeded, RegistryError
from nacre.hub.jobs.queue import Collected
from nacre.hub.registry.blobs import GRACE, Blob
from nacre.hub.registry.manifests import Manifest, Terms
from nacre.oci.digest import Digest
from nacre.testing.hub_contracts import Stage
from nacre.testing.hub_contracts.stage import BY_BOB, DAY, HOUR, image, index
from tests.contract.hub_opening import in_memory, in_sql

T = TypeVar("T")

NAMES = ("team/app", "team/other", "far/app")
TAGS = ("v1", "v2", "latest")
DATA = {Digest.of(data): data for data in (b"1", b"22", b"333", b"4444")}
CHANCE = 3 * HOUR
"""More than the chance by which anything is looked at later than it could be."""

names = st.sampled_from(NAMES)
tags = st.sampled_from(TAGS)
digests = st.sampled_from(list(DATA))
some_tags = st.lists(tags, max_size=2)
terms = st.builds(
    Terms,
    by=st.just("bob"),
    sparse=st.booleans(),
    immutable=st.sampled_from(["", "", "", "v.*"]),
)


class Hubs(RuleBasedStateMachine):
    """Two hubs to which the same happens.

    ``told`` is until when whoever was told that a repository has a blob can count on it;
    ``bytes`` is which keys have bytes.
    """

    manifests = Bundle("manifests")

    @initialize()
    def open(self) -> None:
        self.resources = ExitStack()
        folder = Path(self.resources.enter_context(TemporaryDirectory(prefix="nacre-")))
        self.twin = self.resources.enter_context(in_memory())
        self.hubs = [self.twin, self.resources.enter_context(in_sql(folder))]
        self.told: dict[tuple[str, Digest], datetime] = {}
        self.bytes: set[str] = set()
        self.known: dict[Digest, Manifest] = {}

    def teardown(self) -> None:
        if hasattr(self, "resources"):
            self.resources.close()

    @property
    def now(self) -> datetime:
        return self.twin.clock()

    def both(self, what: Callable[[Stage], T]) -> T | None:
        """Do the same to both, which answer the same; None for an error of the same kind."""
        answers = [_answer(what, hub) for hub in self.hubs]
        assert answers[0] == answers[1]
        return answers[0][0]

    def yes(self, name: str, digest: Digest) -> None:
        self.told[name, digest] = self.now + GRACE

    @rule(name=names, digest=digests)
    def push(self, name: str, digest: Digest) -> None:
        blob = self.both(lambda hub: hub.push(hub.repository(name), DATA[digest]))
        if blob is not None:
            self.bytes.add(blob.key)
            self.yes(name, digest)

    @rule(name=names, is_cancelled=st.booleans())
    def upload(self, name: str, is_cancelled: bool) -> None:
        def do(hub: Stage) -> str:
            upload = hub.upload(hub.repository(name))
            hub.take(upload)
            if is_cancelled:
                hub.do(
                    hub.records.uploads.cancel(
                        upload.id, repository=upload.repository, owner=upload.owner
                    )
                )
            return upload.key

        key = self.both(do)
        assert key is not None
        self.bytes.add(key)

    @rule(idle=st.integers(1, 48))
    def cancel_idle(self, idle: int) -> None:
        before = self.now - idle * HOUR
        self.both(lambda hub: sorted(hub.do(hub.records.uploads.cancel_idle(before, 100))))

    @rule(name=names, digest=digests, source=st.none() | names)
    def mount(self, name: str, digest: Digest, source: str | None) -> None:
        def do(hub: Stage) -> Blob | None:
            repository = hub.repository(name)
            sources = None if source is None else frozenset({hub.repository(source)})
            return hub.do(
                hub.records.blobs.mount(repository, digest, sources=sources, until=hub.grace)
            )

        if self.both(do) is not None:
            self.yes(name, digest)

    @rule(name=names, digest=digests)
    def promise(self, name: str, digest: Digest) -> None:
        if self.both(
            lambda hub: hub.do(hub.records.blobs.promise(hub.repository(name), digest, hub.grace))
        ):
            self.yes(name, digest)

    @rule(name=names, digest=digests)
    def unlink(self, name: str, digest: Digest) -> None:
        self.both(lambda hub: hub.do(hub.records.blobs.unlink(hub.repository(name), digest)))
        self.told.pop((name, digest), None)

    @rule(
        target=manifests,
        name=names,
        layers=st.lists(digests, max_size=2, unique=True),
        subject=st.none() | manifests,
        tagged=some_tags,
        terms=terms,
    )
    def put_image(
        self,
        name: str,
        layers: list[Digest],
        subject: Manifest | None,
        tagged: list[str],
        terms: Terms,
    ) -> Manifest:
        blobs = [Blob(digest, len(DATA[digest]), "", None) for digest in layers]
        return self.put(name, image(*blobs, subject=subject), tagged, terms)

    @rule(
        target=manifests,
        name=names,
        children=st.lists(manifests, min_size=1, max_size=2),
        tagged=some_tags,
        terms=terms,
    )
    def put_index(
        self, name: str, children: list[Manifest], tagged: list[str], terms: Terms
    ) -> Manifest:
        return self.put(name, index(*children), tagged, terms)

    def put(self, name: str, manifest: Manifest, tagged: list[str], terms: Terms) -> Manifest:
        self.known[manifest.digest] = manifest
        self.both(lambda hub: hub.put(hub.repository(name), manifest, *tagged, terms=terms))
        return manifest

    @rule(name=names, manifest=manifests, tagged=some_tags, terms=terms)
    def put_again(self, name: str, manifest: Manifest, tagged: list[str], terms: Terms) -> None:
        self.put(name, manifest, tagged, terms)

    @rule(name=names)
    def put_what_was_told(self, name: str) -> None:
        """Whoever was told that blobs are here can push what names them."""
        here = sorted(
            digest for (at, digest), until in self.told.items() if at == name and until > self.now
        )
        manifest = image(*(Blob(digest, len(DATA[digest]), "", None) for digest in here))
        self.known[manifest.digest] = manifest
        for hub in self.hubs:
            with suppress(QuotaExceeded):
                hub.put(hub.repository(name), manifest)
        self.delete(name, manifest, BY_BOB)

    @rule(name=names, manifest=manifests, terms=terms)
    def delete(self, name: str, manifest: Manifest, terms: Terms) -> None:
        self.both(
            lambda hub: hub.do(
                hub.records.manifests.delete(hub.repository(name), manifest.digest, terms=terms)
            )
        )

    @rule(name=names, tag=tags, terms=terms)
    def delete_tag(self, name: str, tag: str, terms: Terms) -> None:
        self.both(
            lambda hub: hub.do(
                hub.records.manifests.delete_tag(hub.repository(name), tag, terms=terms)
            )
        )

    @rule(name=names, tag=tags, manifest=manifests)
    def restore(self, name: str, tag: str, manifest: Manifest) -> None:
        self.both(
            lambda hub: hub.do(
                hub.records.manifests.restore(hub.repository(name), tag, manifest.digest, by="eve")
            )
        )

    @rule(name=names, tag=tags)
    def pull(self, name: str, tag: str) -> None:
        self.both(
            lambda hub: hub.do(
                hub.records.manifests.pulled([(hub.repository(name), tag, hub.clock())])
            )
        )

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.both(lambda hub: hub.do(hub.records.repositories.remove(name)))
        self.told = {key: until for key, until in self.told.items() if key[0] != name}

    @rule(bytes_=st.sampled_from([0, 0, 5, 2000]))
    def limit(self, bytes_: int) -> None:
        self.both(
            lambda hub: (
                hub.do(hub.records.repositories.change_namespace("team", quota=bytes_)).quota
            )
        )

    @rule(by=st.sampled_from([timedelta(minutes=1), HOUR, 13 * HOUR, 2 * DAY, 31 * DAY]))
    def wait(self, by: timedelta) -> None:
        for hub in self.hubs:
            hub.clock.go(by)

    @rule()
    def collect_what_is_due(self) -> None:
        nothing = [Collected()] * len(self.hubs)
        totals = nothing
        while True:
            while self.is_about_to_be_due():
                self.wait(HOUR)
            found = [hub.review(self.now) for hub in self.hubs]
            if found == nothing:
                break
            totals = [total + more for total, more in zip(totals, found, strict=True)]
            self.wait(CHANCE)
        assert totals[0] == totals[1]

    def is_about_to_be_due(self) -> bool:
        """Say whether a little chance decides if something is due now."""
        due = [*self.twin_state.queue.values()]
        for row in self.twin_state.repositories.values():
            due += [expires for expires in row.links.values() if expires is not None]
        return any(self.now - CHANCE < at <= self.now for at in due)

    @property
    def twin_state(self):  # type: ignore[no-untyped-def]
        return self.twin.records.garbage._state  # type: ignore[attr-defined]

    @rule()
    def collect_by_hand(self) -> None:
        told = self.both(lambda hub: hub.do(hub.records.garbage.would_collect(self.now)))
        assert self.both(Stage.collect) == told
        self.told.clear()

    @rule(spare=st.integers(1, 6))
    def collect_beside_pushes(self, spare: int) -> None:
        within = spare * HOUR
        told = self.both(
            lambda hub: hub.do(hub.records.garbage.would_collect(self.now, spare=within))
        )
        assert self.both(lambda hub: hub.collect(spare=within)) == told
        # Only who was told so lately can count on it now.
        until = self.now + GRACE - within
        self.told = {what: end for what, end in self.told.items() if end > until}

    @rule()
    def empty_the_trash(self) -> None:
        late = self.now + DAY
        keys = self.both(lambda hub: hub.trash(late))
        assert keys is not None
        self.both(lambda hub: hub.do(hub.records.garbage.forget_trash(sorted(keys))))
        self.bytes -= keys

    @rule()
    def nothing_is_forgotten(self) -> None:
        """When all is collected, bytes are only what a record points to."""
        self.collect_by_hand()
        self.empty_the_trash()
        assert self.bytes == self.keys_in_use()

    def keys_in_use(self) -> set[str]:
        uploads = {row.upload.key for row in self.twin_state.uploads.values()}
        return uploads | {blob.key for blob in self.twin_state.blobs.values()}

    @invariant()
    def both_look_the_same(self) -> None:
        if hasattr(self, "hubs"):
            self.both(lambda hub: list(self.seen(hub)))

    def seen(self, hub: Stage) -> Iterator[object]:
        """Go through everything that can be seen of a hub, without ids."""
        records = hub.records
        for space in hub.do(records.repositories.namespaces()):
            yield space.name, space.visibility, space.quota, space.used
        names = hub.do(records.repositories.names(None, after="", limit=10))
        yield list(names)
        for name in NAMES:
            repository = _found(hub, name)
            yield name, repository is None
            if repository is not None:
                yield from self.seen_of(hub, repository)
        yield hub.trash(hub.clock() + 3650 * DAY)

    def seen_of(self, hub: Stage, repository: int) -> Iterator[object]:
        for digest in DATA:
            yield hub.blob(repository, digest)
        manifests = hub.records.manifests
        for digest, manifest in self.known.items():
            yield hub.do(manifests.by_digest(repository, digest))
            if any(other.subject == digest for other in self.known.values()):
                yield list(
                    hub.do(
                        manifests.referrers(
                            repository, manifest.digest, artifact_type="", after="", limit=100
                        )
                    )
                )
        yield list(hub.do(manifests.tag_list(repository)))
        for event in hub.do(manifests.history(repository, None, 1000)):
            yield event.tag, event.change, event.before, event.after, event.by, event.at

    @invariant()
    def who_was_told_yes_can_still_push(self) -> None:
        if not hasattr(self, "hubs"):
            return
        for (name, digest), until in self.told.items():
            if until > self.now:
                for hub in self.hubs:
                    repository = _found(hub, name)
                    assert repository is not None
                    assert hub.has(repository, digest)

    @invariant()
    def no_key_in_use_is_on_the_trash_or_gone(self) -> None:
        if not hasattr(self, "hubs"):
            return
        for hub in self.hubs:
            trash = hub.trash(self.now + 3650 * DAY)
            keys = {
                blob.key
                for name in NAMES
                if (repository := _found(hub, name)) is not None
                for digest in DATA
                if (blob := hub.blob(repository, digest)) is not None
            }
            assert not keys & trash
            assert keys <= self.bytes


def _found(hub: Stage, name: str) -> int | None:
    repository = hub.do(hub.records.repositories.standing(name, None)).repository
    return None if repository is None else repository.id


def _answer(what: Callable[[Stage], T], hub: Stage) -> tuple[T | None, type | None]:
    try:
        return what(hub), None
    except RegistryError as error:
        return None, type(error)


_QUICK = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_sql_does_what_the_twin_does() -> None:
    run_state_machine_as_test(Hubs, settings=_QUICK)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_sql_does_what_the_twin_does_for_long() -> None:
    long = settings(_QUICK, max_examples=400, stateful_step_count=60, derandomize=False)
    run_state_machine_as_test(Hubs, settings=long)
