"""The contract suite of going through everything."""

from __future__ import annotations

from dataclasses import replace

from nacre.hub.jobs.inventory import Held, Recorded
from nacre.hub.registry.manifests import Reference
from nacre.hub.repositories.policy import Policy, Retention
from nacre.hub.repositories.repository import Visibility
from nacre.oci.digest import Digest
from nacre.testing.hub_contracts.stage import DAY, HOUR, Stage, image, index


class InventoryContract:
    """What `Inventory` promises."""

    def test_repositories_are_gone_through_by_name(self, hub: Stage) -> None:
        names = ["a/b", "a/c", "b/a"]
        for name in reversed(names):
            hub.repository(name, Visibility.PRIVATE)
        policy = Policy(retention=Retention(last=3))
        hub.do(hub.records.repositories.change_namespace("a", policy=policy))
        ask = hub.records.inventory.repositories
        first = hub.do(ask(after="", limit=2))
        rest = hub.do(ask(after=first[-1].name, limit=2))
        assert [each.name for each in (*first, *rest)] == names
        assert [each.policy == policy for each in (*first, *rest)] == [True, True, False]

    def test_blobs_are_gone_through_page_by_page(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blobs = sorted(
            (hub.push(app, bytes([number])) for number in range(5)), key=lambda blob: blob.digest
        )
        seen: list[Recorded] = []
        while page := hub.do(
            hub.records.inventory.blobs(after=seen[-1].digest if seen else "", limit=2)
        ):
            seen += page
        assert seen == [Recorded(blob.digest, blob.size, blob.key) for blob in blobs]
        assert hub.do(hub.records.inventory.blob(blobs[0].digest)) == seen[0]
        assert hub.do(hub.records.inventory.blob(Digest.of(b"absent"))) is None

    def test_manifests_are_gone_through_page_by_page(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        put = {
            (repository, hub.put(repository, image(text=text)).digest)
            for repository in (app, other)
            for text in ("a", "b", "c")
        }
        seen: list[Held] = []
        after = (0, "")
        while page := hub.do(hub.records.inventory.manifests(after=after, limit=4)):
            seen += page
            after = (seen[-1].repository, seen[-1].digest)
        assert [(held.repository, held.digest) for held in seen] == sorted(put)
        assert {held.name for held in seen} == {"team/app", "team/other"}

    def test_a_manifest_tells_what_is_recorded_about_it(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob, gone = hub.push(app, b"1"), hub.push(app, b"2")
        child = hub.put(app, image(blob, gone))
        hub.put(app, index(child, text="parent"))
        hub.do(hub.records.blobs.unlink(app, gone.digest))
        held = self._held(hub, child.digest)
        assert (held.raw, held.media_type) == (child.raw, child.media_type)
        assert held.named == {(blob.digest, Reference.BLOB), (gone.digest, Reference.BLOB)}
        assert held.missing == {gone.digest}
        assert held.loose == set()

    def test_keys_that_a_record_points_to_are_known(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob, upload, dropped = hub.push(app, b"data"), hub.upload(app), hub.upload(app)
        hub.do(hub.records.uploads.cancel(dropped.id, repository=app, owner="bob"))
        keys = {blob.key, upload.key, dropped.key}
        many = {f"unknown-{number}" for number in range(1200)}
        assert hub.do(hub.records.inventory.known(keys | many)) == keys
        hub.do(hub.records.garbage.forget_trash([dropped.key]))
        assert hub.do(hub.records.inventory.known(keys)) == keys - {dropped.key}
        assert hub.do(hub.records.inventory.known([])) == frozenset()

    def test_a_lost_blob_is_forgotten_everywhere(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("far/other")
        blob = hub.push(app, b"data")
        hub.push(other, b"data")
        manifest = hub.put(app, image(blob), "v1")
        used = hub.used("team"), hub.used("far")
        assert hub.do(hub.records.inventory.forget_lost(blob.digest, blob.key))
        assert not hub.has(app, blob.digest)
        assert not hub.has(other, blob.digest)
        assert hub.tagged(app, "v1") == manifest.digest
        assert (hub.used("team"), hub.used("far")) == (used[0] - 4, used[1] - 4)
        assert hub.do(hub.records.inventory.blob(blob.digest)) is None
        assert blob.key in hub.trash(hub.clock() + DAY)
        hub.collect()

    def test_a_blob_that_was_pushed_again_is_not_forgotten(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        lost = hub.push(app, b"data")
        forget = hub.records.inventory.forget_lost
        assert hub.do(forget(lost.digest, lost.key))
        again = hub.push(app, b"data")
        assert again.key != lost.key
        assert not hub.do(forget(lost.digest, lost.key))
        assert hub.has(app, again.digest)

    def test_a_push_heals_what_was_forgotten(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        lost = hub.push(app, b"data")
        manifest = hub.put(app, image(lost), "v1")
        hub.do(hub.records.inventory.forget_lost(lost.digest, lost.key))
        assert self._held(hub, manifest.digest).missing == {lost.digest}
        blob = hub.push(app, b"data")
        assert blob.expires_at is None
        assert self._held(hub, manifest.digest).missing == set()

    def test_what_a_manifest_names_is_recorded_anew(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        right = image(blob)
        hub.put(app, replace(right, references=()), "v1")
        assert self._held(hub, right.digest).named == set()
        assert hub.do(hub.records.inventory.mend(app, right))
        held = self._held(hub, right.digest)
        assert held.named == {(blob.digest, Reference.BLOB)}
        assert held.loose == set()
        hub.clock.go(10 * DAY)
        hub.collect()
        assert hub.has(app, blob.digest)
        assert not hub.do(hub.records.inventory.mend(app, image(text="absent")))

    def test_mending_changes_nothing_that_is_right(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(hub.push(app, b"data")), "v1")
        before = self._held(hub, manifest.digest)
        assert hub.do(hub.records.inventory.mend(app, manifest))
        assert self._held(hub, manifest.digest) == before
        assert hub.tagged(app, "v1") == manifest.digest
        assert not hub.trash(hub.clock() + HOUR)

    @staticmethod
    def _held(hub: Stage, digest: Digest) -> Held:
        everything = hub.do(hub.records.inventory.manifests(after=(0, ""), limit=100))
        return next(held for held in everything if held.digest == digest)
