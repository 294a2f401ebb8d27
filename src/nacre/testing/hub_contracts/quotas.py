"""The contract suite of what a namespace may hold."""

from __future__ import annotations

from nacre.hub.errors import QuotaExceeded
from nacre.hub.registry.manifests import Terms
from nacre.hub.registry.uploads import Room
from nacre.oci.digest import Digest
from nacre.testing.contracts import raises
from nacre.testing.hub_contracts.stage import BY_BOB, DAY, HOUR, Stage, image


class QuotasContract:
    """What the records promise about quotas."""

    def test_each_blob_counts_once_a_namespace(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        far = hub.repository("far/app")
        for repository in (app, other, app, far):
            hub.push(repository, b"data")
        hub.push(app, b"more data")
        assert hub.used("team") == 13
        assert hub.used("far") == 4

    def test_each_manifest_counts_once_a_repository(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        manifest = image()
        for tag in ("v1", "v2"):
            hub.put(app, manifest, tag)
        assert hub.used("team") == len(manifest.raw)
        hub.put(other, manifest)
        assert hub.used("team") == 2 * len(manifest.raw)

    def test_what_goes_counts_no_more(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        hub.push(other, b"data")
        manifest = hub.put(app, image(blob))
        hub.do(hub.records.blobs.unlink(other, blob.digest))
        assert hub.used("team") == 4 + len(manifest.raw)
        hub.do(hub.records.manifests.delete(app, manifest.digest, terms=BY_BOB))
        assert hub.used("team") == 4
        hub.review(hub.clock() + 3 * DAY)
        assert hub.used("team") == 0

    def test_a_collected_manifest_counts_no_more(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.put(app, image(), "v1")
        hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))
        hub.review(hub.clock() + 40 * DAY)
        assert hub.used("team") == 0

    def test_a_removed_repository_counts_no_more(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        hub.put(app, image(hub.push(app, b"data")))
        hub.push(app, b"more data")
        hub.push(other, b"data")
        hub.do(hub.records.repositories.remove("team/app"))
        assert hub.used("team") == 4

    def test_an_upload_up_to_the_quota_is_taken(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        _limit(hub, 4)
        hub.push(app, b"data")
        with raises(QuotaExceeded):
            hub.push(app, b"1")
        assert not hub.has(app, Digest.of(b"1"))
        assert hub.used("team") == 4

    def test_a_refused_upload_is_gone(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        _limit(hub, 3)
        upload = hub.upload(app, key="refused")
        with raises(QuotaExceeded):
            hub.finish(upload, b"data")
        finding = hub.records.uploads.cancel_idle(hub.clock() + HOUR, 9)
        assert list(hub.do(finding)) == []
        assert hub.trash(hub.clock() + DAY) == {"refused"}

    def test_a_refused_upload_leaves_no_blob_behind(self, hub: Stage) -> None:
        app, far = hub.repository("team/app"), hub.repository("far/app")
        _limit(hub, 3)
        with raises(QuotaExceeded):
            hub.finish(hub.upload(app, key="refused"), b"data")
        blob = hub.finish(hub.upload(far, key="taken"), b"data")
        assert blob.key == "taken", "the bytes under the other key are on the trash"
        assert hub.trash(hub.clock() + DAY) == {"refused"}

    def test_what_the_namespace_has_costs_nothing_more(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        _limit(hub, 4)
        hub.push(app, b"data")
        mount = hub.records.blobs.mount(
            other, blob.digest, sources=frozenset({app}), until=hub.grace
        )
        assert hub.do(mount) is not None
        assert hub.used("team") == 4

    def test_a_mount_is_refused(self, hub: Stage) -> None:
        app, far = hub.repository("team/app"), hub.repository("far/app")
        blob = hub.push(far, b"data")
        _limit(hub, 3)
        with raises(QuotaExceeded):
            hub.do(hub.records.blobs.mount(app, blob.digest, sources=None, until=hub.grace))
        assert not hub.has(app, blob.digest)

    def test_room_is_what_a_namespace_may_hold(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.push(app, b"data")
        room = hub.records.uploads.room
        assert hub.do(room(app)) is None
        _limit(hub, 10)
        found = hub.do(room(app))
        assert found == Room("team", 10, 4)
        found.check(6)
        with raises(QuotaExceeded):
            found.check(7)
        assert hub.do(room(app + 1000)) is None

    def test_a_manifest_is_refused(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = image()
        _limit(hub, len(manifest.raw) - 1)
        with raises(QuotaExceeded):
            hub.put(app, manifest, "v1")
        assert not hub.is_there(app, manifest)
        assert hub.tagged(app, "v1") is None
        assert list(hub.do(hub.records.manifests.history(app, None, 9))) == []
        _limit(hub, len(manifest.raw))
        hub.put(app, manifest, "v1")
        hub.put(app, manifest, "v2", terms=Terms(by="bob"))
        assert hub.tagged(app, "v2") == manifest.digest

    def test_a_quota_below_what_is_used_removes_nothing(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        _limit(hub, 1)
        assert hub.has(app, blob.digest)
        with raises(QuotaExceeded):
            hub.push(app, b"1")

    def test_a_lifted_quota_limits_nothing(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        _limit(hub, 1)
        space = hub.do(hub.records.repositories.change_namespace("team"))
        assert space.quota == 1
        space = hub.do(hub.records.repositories.change_namespace("team", quota=0))
        assert space.quota is None
        hub.push(app, b"data")


def _limit(hub: Stage, quota: int) -> None:
    hub.do(hub.records.repositories.change_namespace("team", quota=quota))
