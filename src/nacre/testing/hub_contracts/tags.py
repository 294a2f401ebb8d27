"""The contract suite of tags, their history and their restoring."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from nacre.hub.errors import ManifestUnknown, TagImmutable
from nacre.hub.registry.manifests import Tag, TagChange, TagEvent, Terms
from nacre.oci.digest import Digest
from nacre.testing.contracts import raises
from nacre.testing.hub_contracts.stage import BY_BOB, DAY, HOUR, Stage, image, index

_BY_EVE = Terms(by="eve")
_STILL = Terms(by="bob", immutable="v[0-9]+")


class TagsContract:
    """What `Manifests` promise about tags."""

    def test_several_tags_come_with_one_push(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1", "latest", "v1")
        assert hub.tagged(app, "v1") == hub.tagged(app, "latest") == manifest.digest
        assert [event.tag for event in reversed(_history(hub, app))] == ["v1", "latest"]

    def test_a_tag_moves(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.put(app, image(text="old"), "v1")
        new = hub.put(app, image(text="new"), "v1")
        assert hub.tagged(app, "v1") == new.digest

    def test_tags_come_in_pages_in_ascii_order(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        names = ["0", "10", "9", "A", "Z", "_", "a", "a-b", "a.b", "a_b", "aa", "b"]
        hub.put(app, image(), *reversed(names))
        hub.put(other, image(), "other")
        ordered = sorted(names)
        assert _tags(hub, app) == ordered
        assert _tags(hub, app, limit=5) == ordered[:5]
        assert _tags(hub, app, after=ordered[4], limit=5) == ordered[5:10]
        assert _tags(hub, app, after="Zzz") == [name for name in ordered if name > "Zzz"]
        assert _tags(hub, app, after="zzz") == []

    def test_a_deleted_tag_leaves_its_manifest(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1", "v2")
        assert hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))
        assert hub.tagged(app, "v1") is None
        assert _tags(hub, app) == ["v2"]
        assert hub.is_there(app, manifest)
        assert not hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))

    def test_a_tag_that_was_moved_meanwhile_is_not_deleted(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        old = hub.put(app, image(text="old"), "v1")
        new = hub.put(app, image(text="new"), "v1")
        delete = hub.records.manifests.delete_tag
        assert not hub.do(delete(app, "v1", terms=BY_BOB, expected=old.digest))
        assert hub.tagged(app, "v1") == new.digest
        assert hub.do(delete(app, "v1", terms=BY_BOB, expected=new.digest))
        assert hub.tagged(app, "v1") is None

    def test_pushing_the_same_again_renews_when_it_was_pushed_and_is_no_event(
        self, hub: Stage
    ) -> None:
        app = hub.repository("team/app")
        one = hub.put(app, image(hub.push(app, b"one")), "v1")
        (before,) = hub.do(hub.records.manifests.tag_list(app))
        hub.clock.go(3 * DAY)
        hub.put(app, one, "v1", terms=Terms(by="carol"))
        (after,) = hub.do(hub.records.manifests.tag_list(app))
        assert after == replace(before, pushed_at=hub.clock())
        assert len(hub.do(hub.records.manifests.history(app, "v1", 9))) == 1

    def test_an_immutable_tag_can_be_made_and_pushed_again(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1", terms=_STILL)
        hub.put(app, manifest, "v1", terms=_STILL)
        assert hub.tagged(app, "v1") == manifest.digest

    def test_an_immutable_tag_is_neither_moved_nor_deleted(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1", terms=_STILL)
        before = _history(hub, app)
        other = image(text="other")
        with raises(TagImmutable):
            hub.put(app, other, "v1", terms=_STILL)
        assert not hub.is_there(app, other)
        with raises(TagImmutable):
            hub.do(hub.records.manifests.delete_tag(app, "v1", terms=_STILL))
        with raises(TagImmutable):
            hub.do(hub.records.manifests.delete(app, manifest.digest, terms=_STILL))
        assert hub.tagged(app, "v1") == manifest.digest
        assert _history(hub, app) == before

    def test_what_an_immutable_tag_needs_is_not_deleted(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        blobs, manifests = hub.records.blobs, hub.records.manifests
        layer, free = hub.push(app, b"layer"), hub.push(app, b"free")
        child = hub.put(app, image(layer))
        inner = hub.put(app, index(child))
        hub.put(app, index(inner), "v1", "latest", terms=_STILL)
        loose = hub.put(app, image(free), "latest", terms=_STILL)
        for needed in (child, inner):
            with raises(TagImmutable):
                hub.do(manifests.delete(app, needed.digest, terms=_STILL))
            assert hub.is_there(app, needed)
        with raises(TagImmutable):
            hub.do(blobs.unlink(app, layer.digest, immutable=_STILL.immutable))
        assert hub.has(app, layer.digest)
        hub.push(other, b"layer")
        assert hub.do(blobs.unlink(other, layer.digest, immutable=_STILL.immutable))
        assert hub.do(blobs.unlink(app, free.digest, immutable=_STILL.immutable))
        assert hub.do(manifests.delete(app, loose.digest, terms=_STILL))
        assert hub.do(blobs.unlink(app, layer.digest)), "without the policy it goes"
        assert hub.do(manifests.delete(app, child.digest, terms=BY_BOB))

    def test_one_immutable_tag_of_several_refuses_all(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1", "latest", terms=_STILL)
        before = _history(hub, app)
        other = image(text="other")
        with raises(TagImmutable):
            hub.put(app, other, "new", "latest", "v1", terms=_STILL)
        with raises(TagImmutable):
            hub.do(hub.records.manifests.delete(app, manifest.digest, terms=_STILL))
        assert not hub.is_there(app, other)
        assert _tags(hub, app) == ["latest", "v1"]
        assert hub.tagged(app, "latest") == manifest.digest
        assert _history(hub, app) == before

    def test_a_pattern_is_for_whole_tags(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.put(app, image(), "v1-rc", "rc-v1", terms=_STILL)
        other = hub.put(app, image(text="other"), "v1-rc", "rc-v1", terms=_STILL)
        assert hub.tagged(app, "v1-rc") == hub.tagged(app, "rc-v1") == other.digest

    def test_every_change_of_a_tag_is_noted(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        old = hub.put(app, image(text="old"), "v1", "v2")
        hub.clock.go(HOUR)
        new = hub.put(app, image(text="new"), "v1", terms=_BY_EVE)
        hub.clock.go(HOUR)
        hub.do(hub.records.manifests.delete_tag(app, "v1", terms=BY_BOB))
        hub.clock.go(HOUR)
        hub.do(hub.records.manifests.delete(app, old.digest, terms=_BY_EVE))
        start = hub.clock() - 3 * HOUR
        assert _told(hub, app, "v1") == [
            (TagChange.DELETED, new.digest, None, "bob", start + 2 * HOUR),
            (TagChange.MOVED, old.digest, new.digest, "eve", start + HOUR),
            (TagChange.CREATED, None, old.digest, "bob", start),
        ]
        assert _told(hub, app, "v2") == [
            (TagChange.DELETED, old.digest, None, "eve", start + 3 * HOUR),
            (TagChange.CREATED, None, old.digest, "bob", start),
        ]

    def test_history_is_the_latest_first_and_no_more_than_asked(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        hub.put(app, image(text="one"), "v1", "v2")
        hub.put(other, image(text="one"), "v3")
        hub.put(app, image(text="two"), "v1")
        events = _history(hub, app)
        assert [event.tag for event in events] == ["v1", "v2", "v1"]
        ids = [event.id for event in events]
        assert ids == sorted(set(ids), reverse=True)
        assert list(hub.do(hub.records.manifests.history(app, None, 2))) == events[:2]
        assert list(hub.do(hub.records.manifests.history(app, "v1", 1))) == events[:1]
        assert list(hub.do(hub.records.manifests.history(app, "absent", 9))) == []

    def test_a_deleted_and_a_moved_tag_can_be_restored(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        old = hub.put(app, image(text="old"), "deleted", "moved")
        new = hub.put(app, image(text="new"), "moved")
        hub.do(hub.records.manifests.delete_tag(app, "deleted", terms=BY_BOB))
        hub.clock.go(29 * DAY)
        hub.review(hub.clock())
        for tag, before in (("deleted", None), ("moved", new.digest)):
            _restore(hub, app, tag, old.digest)
            assert hub.tagged(app, tag) == old.digest
            told = (TagChange.RESTORED, before, old.digest, "eve", hub.clock())
            assert _told(hub, app, tag)[0] == told

    def test_restoring_what_is_so_changes_nothing(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1")
        before = _history(hub, app)
        _restore(hub, app, "v1", manifest.digest)
        assert _history(hub, app) == before

    def test_only_what_was_there_can_be_restored(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifest = hub.put(app, image(), "v1")
        deleted = hub.put(app, image(text="deleted"), "v2")
        hub.do(hub.records.manifests.delete(app, deleted.digest, terms=BY_BOB))
        for tag, digest in (
            ("v2", deleted.digest),
            ("v2", manifest.digest),
            ("v3", manifest.digest),
            ("v1", Digest.of(b"absent")),
        ):
            with raises(ManifestUnknown):
                _restore(hub, app, tag, digest)
        assert _tags(hub, app) == ["v1"]

    def test_the_list_tells_what_retention_asks(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        start = hub.clock()
        one = hub.put(app, image(text="one"), "b", "a")
        hub.clock.go(HOUR)
        two = hub.put(app, image(text="two"), "c", terms=_BY_EVE)
        pulls = [(app, "a", hub.clock()), (app, "gone", hub.clock()), (app + 9, "a", start)]
        hub.do(hub.records.manifests.pulled(pulls))
        hub.do(hub.records.manifests.pulled([(app, "a", start), (app, "b", start)]))
        assert list(hub.do(hub.records.manifests.tag_list(app))) == [
            Tag("c", two.digest, hub.clock(), None, "eve"),
            Tag("a", one.digest, start, hub.clock(), "bob"),
            Tag("b", one.digest, start, start, "bob"),
        ]

    def test_a_move_is_a_push_and_keeps_the_last_pull(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        old = hub.put(app, image(text="old"), "v1")
        pulled_at = hub.clock()
        hub.do(hub.records.manifests.pulled([(app, "v1", pulled_at)]))
        hub.clock.go(HOUR)
        new = hub.put(app, image(text="new"), "v1", terms=_BY_EVE)
        tag = Tag("v1", new.digest, hub.clock(), pulled_at, "eve")
        assert list(hub.do(hub.records.manifests.tag_list(app))) == [tag]
        hub.clock.go(HOUR)
        _restore(hub, app, "v1", old.digest)
        tag = Tag("v1", old.digest, hub.clock(), pulled_at, "eve")
        assert list(hub.do(hub.records.manifests.tag_list(app))) == [tag]


def _tags(hub: Stage, repository: int, *, after: str = "", limit: int = 100) -> list[str]:
    return list(hub.do(hub.records.manifests.tags(repository, after=after, limit=limit)))


def _history(hub: Stage, repository: int, tag: str | None = None) -> list[TagEvent]:
    return list(hub.do(hub.records.manifests.history(repository, tag, 100)))


def _told(
    hub: Stage, repository: int, tag: str
) -> list[tuple[TagChange, Digest | None, Digest | None, str, datetime]]:
    return [
        (event.change, event.before, event.after, event.by, event.at)
        for event in _history(hub, repository, tag)
    ]


def _restore(hub: Stage, repository: int, tag: str, digest: Digest) -> None:
    hub.do(hub.records.manifests.restore(repository, tag, digest, by="eve"))
