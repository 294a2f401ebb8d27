"""The contract suite of garbage collection."""

from __future__ import annotations

from dataclasses import replace

from nacre.hub.errors import ManifestUnknown
from nacre.hub.jobs.queue import Collected, Kind
from nacre.hub.registry.manifests import Manifest, Reference
from nacre.oci.descriptor import Descriptor
from nacre.testing.contracts import raises
from nacre.testing.hub_contracts.stage import BY_BOB, DAY, HOUR, LAYER, Stage, image, index

_NOTHING = Collected()
_YEARS = 3650 * DAY


class GarbageContract:
    """What `Garbage` promises; manifests can be restored for 30 days."""

    def test_an_empty_hub_has_nothing_to_collect(self, hub: Stage) -> None:
        assert hub.collect() == _NOTHING
        for kind in Kind:
            assert hub.do(hub.records.garbage.review(kind, hub.clock(), 9)) == (0, _NOTHING)
        assert hub.trash(hub.clock() + _YEARS) == set()

    def test_nothing_needed_is_ever_collected(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        one, two, three = (hub.push(app, data) for data in (b"1", b"2", b"3"))
        child = hub.put(app, image(one))
        parent = hub.put(app, index(child))
        top = hub.put(app, index(parent), "v1")
        referrer = hub.put(app, image(two, subject=child))
        untagged = hub.put(app, image(three))
        for wait in (0 * DAY, _YEARS):
            hub.clock.go(wait)
            assert hub.review(hub.clock()) == _NOTHING
            assert hub.collect() == _NOTHING
        for manifest in (child, parent, top, referrer, untagged):
            assert hub.is_there(app, manifest)
        for blob in (one, two, three):
            assert hub.has(app, blob.digest)

    def test_a_foreign_layer_that_is_here_stays(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        foreign = (Descriptor(LAYER, blob.digest, blob.size), Reference.FOREIGN)
        hub.put(app, replace(image(), references=(foreign,)), "v1")
        hub.collect()
        assert hub.has(app, blob.digest)

    def test_nothing_goes_before_its_time(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        assert hub.review(hub.grace - HOUR) == _NOTHING
        assert hub.has(app, blob.digest)

    def test_what_expired_goes_by_itself(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.clock.go(10 * DAY)
        links = hub.review(hub.clock())
        assert not hub.has(app, blob.digest)
        hub.clock.go(10 * DAY)
        assert links + hub.review(hub.clock()) == Collected(links=1, blobs=1, bytes=4)

    def test_a_promise_is_kept(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.clock.go(20 * HOUR)
        hub.do(hub.records.blobs.promise(app, blob.digest, hub.grace))
        hub.review(hub.grace - HOUR)
        assert hub.has(app, blob.digest)
        hub.review(hub.grace + 2 * DAY)
        assert not hub.has(app, blob.digest)

    def test_a_link_goes_and_then_its_blob_and_then_its_bytes(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        garbage = hub.records.garbage
        hub.do(garbage.hasten(hub.clock()))
        assert hub.do(garbage.review(Kind.BLOB, hub.clock(), 9))[1] == _NOTHING
        assert hub.do(garbage.review(Kind.LINK, hub.clock(), 9)) == (1, Collected(links=1))
        assert not hub.has(app, blob.digest)
        assert hub.trash(hub.clock() + _YEARS) == set()
        hub.do(garbage.hasten(hub.clock()))
        removed = Collected(blobs=1, bytes=4)
        assert hub.do(garbage.review(Kind.BLOB, hub.clock(), 9)) == (1, removed)
        assert hub.trash(hub.clock() + HOUR / 2) == set(), "somebody may be reading"
        assert hub.trash(hub.clock() + _YEARS) == {blob.key}

    def test_a_blob_goes_with_its_last_link(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blob = hub.push(app, b"data")
        hub.push(other, b"data")
        hub.put(other, image(blob), "v1")
        assert hub.collect() == Collected(links=1)
        assert not hub.has(app, blob.digest)
        assert hub.has(other, blob.digest)

    def test_no_more_are_looked_at_than_asked(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        for number in range(5):
            hub.push(app, bytes([number]))
        hub.do(hub.records.garbage.hasten(hub.clock()))
        review = hub.records.garbage.review
        seen = [hub.do(review(Kind.LINK, hub.clock(), 2)) for _ in range(4)]
        assert [looked for looked, _ in seen] == [2, 2, 1, 0]
        assert sum((found for _, found in seen), _NOTHING) == Collected(links=5)

    def test_an_entry_is_forgotten_once_looked_at(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.put(app, image(hub.push(app, b"data")), "v1")
        hub.collect()
        for kind in Kind:
            assert hub.do(hub.records.garbage.review(kind, hub.clock() + _YEARS, 9))[0] == 0

    def test_a_manifest_goes_some_time_after_its_last_tag(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        moved = hub.put(app, image(blob), "v1")
        deleted = hub.put(app, image(), "v1", "v2")
        for tag in ("v1", "v2"):
            hub.do(hub.records.manifests.delete_tag(app, tag, terms=BY_BOB))
        hub.review(hub.clock() + 29 * DAY)
        hub.collect()
        assert hub.is_there(app, moved)
        assert hub.is_there(app, deleted)
        hub.clock.go(33 * DAY)
        assert hub.review(hub.clock()) == Collected(manifests=2)
        assert not hub.is_there(app, moved)
        assert hub.blob(app, blob.digest) == replace(blob, expires_at=hub.grace)
        with raises(ManifestUnknown):
            hub.do(hub.records.manifests.restore(app, "v1", moved.digest, by="bob"))
        assert hub.collect() == Collected(links=1, blobs=1, bytes=4)

    def test_what_is_restored_or_pushed_again_stays(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        restored = hub.put(app, image(text="restored"), "v1")
        pushed = hub.put(app, image(text="pushed"), "v2")
        for tag in ("v1", "v2"):
            hub.do(hub.records.manifests.delete_tag(app, tag, terms=BY_BOB))
        hub.clock.go(29 * DAY)
        hub.do(hub.records.manifests.restore(app, "v1", restored.digest, by="bob"))
        hub.put(app, pushed)
        hub.clock.go(_YEARS)
        assert hub.collect() == _NOTHING
        assert hub.is_there(app, restored)
        assert hub.is_there(app, pushed)

    def test_time_to_restore_begins_with_the_last_loss(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1")
        hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))
        hub.clock.go(20 * DAY)
        hub.put(app, manifest, "v2")
        hub.clock.go(20 * DAY)
        hub.do(hub.records.manifests.delete_tag(app, "v2", terms=BY_BOB))
        hub.clock.go(29 * DAY)
        hub.collect()
        assert hub.is_there(app, manifest)
        hub.clock.go(3 * DAY)
        hub.collect()
        assert not hub.is_there(app, manifest)

    def test_children_live_as_long_as_a_parent_and_some_time(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        child = hub.put(app, image())
        parents = [hub.put(app, index(child, text=text), text) for text in ("a", "b")]
        _delete(hub, app, parents[0])
        hub.clock.go(_YEARS)
        hub.collect()
        assert hub.is_there(app, child)
        _delete(hub, app, parents[1])
        hub.clock.go(29 * DAY)
        hub.collect()
        assert hub.is_there(app, child)
        hub.clock.go(3 * DAY)
        hub.collect()
        assert not hub.is_there(app, child)

    def test_referrers_live_as_long_as_their_subject_and_some_time(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        subject = hub.put(app, image())
        referrer = hub.put(app, image(subject=subject, text="tagged"), "v1")
        hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))
        hub.clock.go(_YEARS)
        hub.collect()
        assert hub.is_there(app, referrer)
        _delete(hub, app, subject)
        hub.clock.go(33 * DAY)
        hub.collect()
        assert not hub.is_there(app, referrer)

    def test_a_referrer_that_never_had_a_subject_stays(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        referrer = hub.put(app, image(subject=image(text="absent")))
        hub.clock.go(_YEARS)
        hub.collect()
        assert hub.is_there(app, referrer)

    def test_a_late_parent_or_subject_saves(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        subject = image(text="subject")
        child, referrer = hub.put(app, image(), "v1"), hub.put(app, image(subject=subject), "v2")
        for tag in ("v1", "v2"):
            hub.do(hub.records.manifests.delete_tag(app, tag, terms=BY_BOB))
        hub.clock.go(29 * DAY)
        hub.put(app, index(child), "index")
        hub.put(app, subject)
        hub.clock.go(_YEARS)
        hub.collect()
        assert hub.is_there(app, child)
        assert hub.is_there(app, referrer)

    def test_a_trial_changes_nothing_and_tells_the_truth(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        kept, shared, old, loose = (hub.push(app, data) for data in (b"1", b"22", b"333", b"4444"))
        hub.push(other, b"22")
        hub.put(app, image(kept, shared), "kept")
        child = hub.put(app, image(old))
        hub.put(app, index(child), "v1")
        hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))
        hub.clock.go(33 * DAY)
        hub.do(hub.records.blobs.promise(app, loose.digest, hub.grace))
        told = hub.do(hub.records.garbage.would_collect(hub.clock()))
        assert told == Collected(manifests=1, links=2, blobs=1, bytes=4)
        assert hub.do(hub.records.garbage.would_collect(hub.clock())) == told
        assert hub.blob(app, loose.digest) == replace(loose, expires_at=hub.grace)
        assert hub.is_there(app, child)
        assert hub.trash(hub.clock()) - hub.trash(hub.clock() - 32 * DAY) == set()
        assert hub.collect() == told
        assert hub.do(hub.records.garbage.would_collect(hub.clock())) == _NOTHING

    def test_a_trial_counts_what_a_collected_manifest_frees(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.put(app, image(hub.push(app, b"data")), "v1")
        hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))
        assert hub.do(hub.records.garbage.would_collect(hub.clock())) == _NOTHING
        hub.clock.go(33 * DAY)
        told = hub.do(hub.records.garbage.would_collect(hub.clock()))
        assert told == Collected(manifests=1, links=1, blobs=1, bytes=4)
        assert hub.collect() == told

    def test_trash_is_told_until_it_is_forgotten(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        keys = {hub.push(app, bytes([number])).key for number in range(3)}
        hub.collect()
        garbage = hub.records.garbage
        late = hub.clock() + _YEARS
        assert hub.trash(late) == hub.trash(late) == keys
        first = hub.do(garbage.trash(late, 2))
        assert len(first) == 2
        hub.do(garbage.forget_trash([*first, "unknown"]))
        assert hub.trash(late) == keys - set(first)

    def test_what_was_told_a_while_ago_is_not_hastened(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        old, asked, needed = (hub.push(app, data) for data in (b"1", b"22", b"333"))
        hub.put(app, image(needed), "v1")
        hub.clock.go(2 * HOUR)
        fresh = hub.push(app, b"4444")
        hub.do(hub.records.blobs.promise(app, asked.digest, hub.grace))
        hub.clock.go(HOUR / 2)
        told = hub.do(hub.records.garbage.would_collect(hub.clock(), spare=HOUR))
        assert told == Collected(links=1, blobs=1, bytes=1)
        hub.do(hub.records.garbage.hasten(hub.clock(), spare=HOUR))
        assert hub.review(hub.clock()) == told
        assert not hub.has(app, old.digest)
        for blob in (asked, needed, fresh):
            assert hub.has(app, blob.digest)
        assert hub.blob(app, fresh.digest) == fresh
        hub.clock.go(HOUR)
        hub.do(hub.records.garbage.hasten(hub.clock(), spare=HOUR))
        assert hub.review(hub.clock()) == Collected(links=2, blobs=2, bytes=6)

    def test_what_a_manifest_lets_go_of_is_as_if_just_told(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.put(app, image(blob), "v1")
        hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))
        hub.clock.go(33 * DAY)
        told = hub.do(hub.records.garbage.would_collect(hub.clock(), spare=HOUR))
        assert told == Collected(manifests=1)
        for expected in (told, _NOTHING):
            hub.do(hub.records.garbage.hasten(hub.clock(), spare=HOUR))
            assert hub.review(hub.clock()) == expected
        assert hub.has(app, blob.digest)

    def test_trash_is_not_hastened_while_somebody_may_be_reading(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.do(hub.records.blobs.unlink(app, blob.digest))
        hub.collect()
        app = hub.repository("team/app")
        hub.push(app, b"22")
        hub.do(hub.records.blobs.unlink(app, hub.push(app, b"333").digest))
        hub.do(hub.records.garbage.hasten(hub.clock(), spare=HOUR))
        hub.review(hub.clock())
        kept = hub.trash(hub.clock() + DAY) - hub.trash(hub.clock())
        assert len(kept) == 1

    def test_hastened_trash_is_due(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.do(hub.records.blobs.unlink(app, blob.digest))
        hub.collect()
        hub.do(hub.records.garbage.hasten(hub.clock()))
        assert hub.trash(hub.clock()) == {blob.key}


def _delete(hub: Stage, repository: int, manifest: Manifest) -> None:
    assert hub.do(hub.records.manifests.delete(repository, manifest.digest, terms=BY_BOB))
