"""The contract suite of blobs and links."""

from __future__ import annotations

from nacre.hub.errors import NameUnknown
from nacre.hub.registry.blobs import GRACE, Blob
from nacre.hub.registry.manifests import Terms
from nacre.oci.digest import Digest
from nacre.testing.contracts import raises
from nacre.testing.hub_contracts.stage import DAY, HOUR, Stage, image

_ABSENT = Digest.of(b"nowhere")


class BlobsContract:
    """What `Blobs` promise."""

    def test_a_finished_upload_is_a_blob_of_its_repository(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        upload = hub.upload(app, key="the-key")
        blob = hub.finish(upload, b"data")
        assert blob == Blob(Digest.of(b"data"), 4, "the-key", hub.grace)
        assert hub.blob(app, blob.digest) == blob

    def test_only_a_link_lets_a_repository_read_a_blob(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        assert not hub.has(other, blob.digest)
        hub.put(other, image(blob), "sparse", terms=Terms(by="bob", sparse=True))
        assert not hub.has(other, blob.digest), "a manifest that names a blob is no grant"

    def test_the_same_bytes_under_two_algorithms_are_two_blobs(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.push(app, b"data", algorithm="sha512")
        assert hub.has(app, Digest.of(b"data", "sha512"))
        assert not hub.has(app, Digest.of(b"data"))

    def test_a_blob_that_is_nowhere_is_not_found(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        assert hub.blob(app, _ABSENT) is None
        assert hub.blob(app + 1000, _ABSENT) is None
        assert not hub.do(hub.records.blobs.promise(app, _ABSENT, hub.grace))
        assert not hub.do(hub.records.blobs.unlink(app, _ABSENT))

    def test_an_expired_link_is_a_link_until_it_is_collected(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.clock.go(10 * DAY)
        assert hub.blob(app, blob.digest) == blob
        assert hub.do(hub.records.blobs.promise(app, blob.digest, hub.grace))
        hub.review(hub.clock() + HOUR)
        assert hub.has(app, blob.digest)

    def test_a_promise_only_ever_adds_time(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        for until in (hub.grace - HOUR, hub.grace):
            assert hub.do(hub.records.blobs.promise(app, blob.digest, until))
            assert hub.blob(app, blob.digest) == blob
        later = hub.grace + HOUR
        assert hub.do(hub.records.blobs.promise(app, blob.digest, later))
        assert _expiry(hub, app, blob) == later

    def test_a_promise_to_one_repository_is_none_to_another(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        hub.push(other, b"data")
        hub.do(hub.records.blobs.promise(app, blob.digest, hub.grace + HOUR))
        assert _expiry(hub, other, blob) == hub.grace

    def test_a_manifest_makes_a_link_stay(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        manifest = hub.put(app, image(blob), "v1")
        assert _expiry(hub, app, blob) is None
        assert hub.do(hub.records.blobs.promise(app, blob.digest, hub.grace))
        assert _expiry(hub, app, blob) is None
        hub.push(app, b"data")
        assert _expiry(hub, app, blob) is None
        hub.clock.go(DAY)
        hub.do(hub.records.manifests.delete(app, manifest.digest, terms=Terms(by="bob")))
        assert _expiry(hub, app, blob) == hub.grace

    def test_the_last_manifest_that_names_a_blob_counts(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        one, two = (hub.put(app, image(blob, text=text)) for text in ("one", "two"))
        hub.do(hub.records.manifests.delete(app, one.digest, terms=Terms(by="bob")))
        assert _expiry(hub, app, blob) is None
        hub.do(hub.records.manifests.delete(app, two.digest, terms=Terms(by="bob")))
        assert _expiry(hub, app, blob) == hub.grace

    def test_a_blob_that_comes_after_its_manifest_stays(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(other, b"data")
        hub.put(app, image(blob), terms=Terms(by="bob", sparse=True))
        hub.push(app, b"data")
        assert _expiry(hub, app, blob) is None

    def test_a_manifest_of_another_repository_does_not_make_a_link_stay(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        hub.push(other, b"data")
        hub.put(other, image(blob))
        assert _expiry(hub, app, blob) == hub.grace

    def test_a_mount_needs_a_source_that_has_the_blob(self, hub: Stage) -> None:
        app, other, third = (hub.repository(f"team/{name}") for name in ("app", "other", "third"))
        blob = hub.push(app, b"data")
        assert _mount(hub, other, blob.digest, frozenset()) is None
        assert _mount(hub, other, blob.digest, frozenset({third, third + 1000})) is None
        assert not hub.has(other, blob.digest)
        assert _mount(hub, other, blob.digest, frozenset({third, app})) == blob
        assert hub.blob(other, blob.digest) == blob

    def test_a_mount_from_anywhere_needs_somebody_who_has_it(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        assert _mount(hub, other, _ABSENT, None) is None
        blob = hub.push(app, b"data")
        assert _mount(hub, other, blob.digest, None) == blob

    def test_a_blob_without_links_is_not_mounted(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        hub.do(hub.records.blobs.unlink(app, blob.digest))
        assert _mount(hub, other, blob.digest, None) is None
        assert _mount(hub, other, blob.digest, frozenset({app})) is None

    def test_a_mount_of_what_is_there_renews_it(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.clock.go(HOUR)
        renewed = _mount(hub, app, blob.digest, frozenset())
        assert renewed == Blob(blob.digest, blob.size, blob.key, hub.grace)
        assert hub.blob(app, blob.digest) == renewed
        shorter = hub.records.blobs.mount(
            app, blob.digest, sources=None, until=hub.grace - 2 * HOUR
        )
        assert hub.do(shorter) == renewed

    def test_a_mounted_blob_outlives_its_source(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        _mount(hub, other, blob.digest, frozenset({app}))
        hub.put(other, image(blob), "v1")
        hub.do(hub.records.repositories.remove("team/app"))
        hub.collect()
        assert hub.has(other, blob.digest)

    def test_what_is_unlinked_is_gone_at_once_and_only_there(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        hub.push(other, b"data")
        manifest = hub.put(app, image(blob), "v1")
        assert hub.do(hub.records.blobs.unlink(app, blob.digest))
        assert not hub.has(app, blob.digest)
        assert not hub.do(hub.records.blobs.unlink(app, blob.digest))
        assert hub.has(other, blob.digest)
        assert hub.is_there(app, manifest)

    def test_nothing_is_mounted_into_a_removed_repository(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        hub.do(hub.records.repositories.remove("team/other"))
        with raises(NameUnknown):
            _mount(hub, other, blob.digest, frozenset({app}))
        assert not hub.has(other, blob.digest)

    def test_the_usual_grace_is_a_day(self, hub: Stage) -> None:
        assert hub.clock() + GRACE == hub.clock() + DAY


def _mount(
    hub: Stage, repository: int, digest: Digest, sources: frozenset[int] | None
) -> Blob | None:
    return hub.do(hub.records.blobs.mount(repository, digest, sources=sources, until=hub.grace))


def _expiry(hub: Stage, repository: int, blob: Blob) -> object:
    found = hub.blob(repository, blob.digest)
    assert found is not None
    return found.expires_at
