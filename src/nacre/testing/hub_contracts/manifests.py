"""The contract suite of manifests and referrers."""

from __future__ import annotations

from dataclasses import replace

from nacre.hub.errors import ManifestBlobUnknown, NameUnknown
from nacre.hub.registry.manifests import Manifest, Reference, Referrer, Stored, Terms
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.testing.contracts import raises
from nacre.testing.hub_contracts.stage import BY_BOB, Stage, image, index

_SPARSE = Terms(by="bob", sparse=True)


class ManifestsContract:
    """What `Manifests` promise, but for tags."""

    def test_a_manifest_is_found_by_digest_and_by_tag(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(hub.push(app, b"data")), "v1")
        stored = Stored(manifest.digest, manifest.media_type, manifest.raw)
        assert hub.do(hub.records.manifests.by_digest(app, manifest.digest)) == stored
        assert hub.do(hub.records.manifests.by_tag(app, "v1")) == stored

    def test_bytes_are_kept_as_they_are(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        raw = bytes(range(256)) * 10
        hub.put(app, Manifest(Digest.of(raw), mediatypes.OCI_MANIFEST, raw))
        stored = hub.do(hub.records.manifests.by_digest(app, Digest.of(raw)))
        assert stored is not None
        assert stored.raw == raw

    def test_a_digest_is_kept_as_pushed(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = image()
        sha512 = replace(manifest, digest=Digest.of(manifest.raw, "sha512"))
        hub.put(app, sha512, "v1")
        assert hub.tagged(app, "v1") == sha512.digest
        assert not hub.is_there(app, manifest)
        hub.put(app, manifest, "v2")
        assert hub.tagged(app, "v1") == sha512.digest
        assert hub.tagged(app, "v2") == manifest.digest

    def test_repositories_know_nothing_of_each_other(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        manifest = hub.put(app, image(), "v1")
        assert not hub.is_there(other, manifest)
        assert hub.tagged(other, "v1") is None
        with raises(ManifestBlobUnknown):
            hub.put(other, index(manifest))

    def test_everything_missing_is_told(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        here = hub.push(app, b"here")
        two, one = hub.push(other, b"two"), hub.push(other, b"one")
        manifest = image(two, here, one, two)
        assert _missing(hub, app, manifest, "v1") == [two.digest, one.digest]
        assert not hub.is_there(app, manifest)
        assert hub.tagged(app, "v1") is None
        assert _history(hub, app) == []

    def test_a_missing_child_is_told(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        here, missing = hub.put(app, image(text="here")), image(text="missing")
        assert _missing(hub, app, index(here, missing)) == [missing.digest]

    def test_a_child_that_is_only_a_blob_is_missing(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        child = image()
        hub.push(app, child.raw)
        with raises(ManifestBlobUnknown):
            hub.put(app, index(child))

    def test_sparse_asks_for_nothing(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        manifest = image(hub.push(other, b"data"))
        hub.put(app, manifest, "image", terms=_SPARSE)
        hub.put(app, index(image(text="missing")), "index", terms=_SPARSE)
        assert hub.tagged(app, "image") == manifest.digest
        with raises(ManifestBlobUnknown):
            hub.put(app, manifest, "image")

    def test_a_foreign_layer_and_a_subject_may_be_missing(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        layer = Descriptor(mediatypes.DOCKER_FOREIGN_LAYER, Digest.of(b"foreign"), 7)
        manifest = image(subject=image(text="missing"))
        manifest = replace(manifest, references=((layer, Reference.FOREIGN),))
        hub.put(app, manifest)
        assert hub.is_there(app, manifest)

    def test_putting_again_changes_nothing_but_when_the_tag_was_pushed(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = image(hub.push(app, b"data"))
        hub.put(app, manifest, "v1")
        before = _seen(hub, app)
        hub.clock.go(hub.grace - hub.clock())
        hub.put(app, manifest, "v1", terms=Terms(by="eve"))
        hub.put(app, manifest)
        assert _seen(hub, app) == before

    def test_deleting_acts_at_once(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1", "v2")
        other = hub.put(app, image(text="other"), "v3")
        assert hub.do(hub.records.manifests.delete(app, manifest.digest, terms=BY_BOB))
        assert not hub.is_there(app, manifest)
        assert hub.do(hub.records.manifests.tags(app, after="", limit=9)) == ["v3"]
        assert hub.tagged(app, "v1") is None
        assert hub.tagged(app, "v3") == other.digest
        assert not hub.do(hub.records.manifests.delete(app, manifest.digest, terms=BY_BOB))

    def test_a_child_can_be_deleted_and_its_index_stays(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        child = hub.put(app, image())
        parent = hub.put(app, index(child), "v1")
        assert hub.do(hub.records.manifests.delete(app, child.digest, terms=BY_BOB))
        assert hub.tagged(app, "v1") == parent.digest

    def test_a_removed_repository_takes_no_manifest_and_shows_none(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1")
        hub.put(app, image(subject=manifest))
        hub.do(hub.records.repositories.remove("team/app"))
        assert not hub.is_there(app, manifest)
        assert hub.tagged(app, "v1") is None
        assert _seen(hub, app) == ([], [], [])
        assert _referrers(hub, app, manifest) == []
        assert not hub.do(hub.records.manifests.delete(app, manifest.digest, terms=BY_BOB))
        assert not hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))
        with raises(NameUnknown):
            hub.put(app, manifest)

    def test_referrers_tell_all_of_a_manifest(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        subject = image()
        manifest = hub.put(app, image(subject=subject, kind="text/x-sbom", text="why"))
        plain = hub.put(app, index(subject=subject))
        expected = [
            Referrer(
                manifest.digest,
                manifest.media_type,
                len(manifest.raw),
                "text/x-sbom",
                manifest.annotations,
            ),
            Referrer(plain.digest, plain.media_type, len(plain.raw), "", ""),
        ]
        found = _referrers(hub, app, subject)
        assert found == sorted(expected, key=lambda referrer: referrer.digest)
        assert _referrers(hub, other, subject) == []
        assert _referrers(hub, app, manifest) == []

    def test_referrers_are_filtered_by_the_whole_type(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        subject = image()
        for kind in ("text/x-sbom", "text/x-sbom+json", ""):
            hub.put(app, image(subject=subject, kind=kind))
        found = _referrers(hub, app, subject, artifact_type="text/x-sbom")
        assert [referrer.artifact_type for referrer in found] == ["text/x-sbom"]
        assert _referrers(hub, app, subject, artifact_type="text/x") == []
        assert len(_referrers(hub, app, subject)) == 3

    def test_referrers_come_in_pages(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        subject = image()
        for number in range(5):
            hub.put(app, image(subject=subject, text=str(number), kind=f"text/{number % 2}"))
        everything = _referrers(hub, app, subject)
        digests = [referrer.digest for referrer in everything]
        assert digests == sorted(digests)
        assert _referrers(hub, app, subject, limit=2) == everything[:2]
        assert _referrers(hub, app, subject, after=digests[1], limit=2) == everything[2:4]
        assert _referrers(hub, app, subject, after=digests[-1]) == []
        even = [referrer for referrer in everything if referrer.artifact_type == "text/0"]
        after = even[0].digest
        assert _referrers(hub, app, subject, after=after, artifact_type="text/0") == even[1:]

    def test_a_deleted_referrer_is_listed_no_more(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        subject = hub.put(app, image())
        manifest = hub.put(app, image(subject=subject))
        hub.do(hub.records.manifests.delete(app, manifest.digest, terms=BY_BOB))
        assert _referrers(hub, app, subject) == []

    def test_referrers_outlive_a_deleted_subject(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        subject = hub.put(app, image())
        manifest = hub.put(app, image(subject=subject))
        hub.do(hub.records.manifests.delete(app, subject.digest, terms=BY_BOB))
        assert [found.digest for found in _referrers(hub, app, subject)] == [manifest.digest]


def _missing(hub: Stage, repository: int, manifest: Manifest, *tags: str) -> object:
    try:
        hub.put(repository, manifest, *tags)
    except ManifestBlobUnknown as error:
        return error.detail
    return None


def _seen(hub: Stage, repository: int) -> object:
    manifests = hub.records.manifests
    names = hub.do(manifests.tags(repository, after="", limit=100))
    tags = [(tag.name, tag.digest, tag.by) for tag in hub.do(manifests.tag_list(repository))]
    return list(names), tags, _history(hub, repository)


def _history(hub: Stage, repository: int) -> list[object]:
    return list(hub.do(hub.records.manifests.history(repository, None, 100)))


def _referrers(
    hub: Stage,
    repository: int,
    subject: Manifest,
    *,
    artifact_type: str = "",
    after: str = "",
    limit: int = 100,
) -> list[Referrer]:
    found = hub.records.manifests.referrers(
        repository, subject.digest, artifact_type=artifact_type, after=after, limit=limit
    )
    return list(hub.do(found))
