"""The contract suite of what the journal is told."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from typing import Any

from nacre.hub.jobs.journal import Entry, Told
from nacre.hub.repositories.policy import Policy, Retention
from nacre.hub.repositories.repository import Visibility
from nacre.oci.digest import Digest
from nacre.testing.hub_contracts.stage import BY_BOB, DAY, Stage, image

_NAMES = {
    Told.NAMESPACE: ("name",),
    Told.REPOSITORY: ("name",),
    Told.BLOB: ("digest",),
    Told.LINK: ("repository", "digest"),
    Told.MANIFEST: ("repository", "digest"),
    Told.TAG: ("repository", "name"),
}
Known = dict[tuple[str, ...], dict[str, Any]]


class OutboxContract:
    """What `Outbox` promises: whoever reads it knows what is there."""

    def test_nothing_waits_at_first(self, hub: Stage) -> None:
        assert _taken(hub) == []
        assert list(hub.records.outbox.everything()) == []

    def test_a_push_is_told(self, hub: Stage) -> None:
        app = hub.repository("team/app", Visibility.PRIVATE)
        blob = hub.push(app, b"data")
        manifest = hub.put(app, image(blob), "v1")
        known = _known(_taken(hub))
        assert known["repository", "team/app"]["visibility"] == "private"
        assert known["blob", blob.digest] == {"digest": blob.digest, "size": 4, "key": blob.key}
        assert ("link", "team/app", blob.digest) in known
        told = known["manifest", "team/app", manifest.digest]
        assert (b64decode(told["raw"]), told["media_type"]) == (manifest.raw, manifest.media_type)
        tag = known["tag", "team/app", "v1"]
        assert (tag["digest"], tag["by"]) == (manifest.digest, "bob")

    def test_a_change_waits_until_it_is_carried(self, hub: Stage) -> None:
        hub.repository("team/app")
        waiting = hub.do(hub.records.outbox.waiting(100))
        assert len(waiting) == 2
        hub.do(hub.records.outbox.carried(waiting[0].number))
        assert hub.do(hub.records.outbox.waiting(100)) == waiting[1:]
        assert hub.do(hub.records.outbox.waiting(1)) == waiting[1:2]
        hub.do(hub.records.outbox.carried(waiting[1].number))
        assert hub.do(hub.records.outbox.waiting(100)) == []
        hub.repository("team/other")
        (later,) = hub.do(hub.records.outbox.waiting(100))
        assert later.number > waiting[1].number

    def test_what_changed_later_is_told_later(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.repository("team/gone")
        manifests = hub.records.manifests
        one = hub.put(app, image(hub.push(app, b"1")), "v1", "v2")
        entries = _taken(hub)
        two = hub.put(app, image(hub.push(app, b"2")), "v1")
        entries += _taken(hub)
        hub.do(manifests.delete_tag(app, "v2", terms=BY_BOB))
        hub.do(hub.records.repositories.change("team/app", visibility=Visibility.PUBLIC))
        hub.do(hub.records.repositories.remove("team/gone"))
        entries += _taken(hub)
        known = _known(entries)
        assert known["tag", "team/app", "v1"]["digest"] == two.digest
        assert ("tag", "team/app", "v2") not in known
        assert ("repository", "team/gone") not in known
        assert known["repository", "team/app"]["visibility"] == "public"
        hub.do(manifests.delete(app, one.digest, terms=BY_BOB))
        assert ("manifest", "team/app", one.digest) not in _known([*entries, *_taken(hub)])

    def test_policies_and_quotas_are_told(self, hub: Stage) -> None:
        hub.repository("team/app")
        policy = Policy(immutable="v.*", retention=Retention(last=3, pulled_within=DAY))
        hub.do(hub.records.repositories.change("team/app", policy=policy))
        hub.do(hub.records.repositories.change_namespace("team", policy=policy, quota=1000))
        known = _known(_taken(hub))
        stated = {"immutable": "v.*", "retention": {"last": 3, "pulled_within": 86400.0}}
        assert known["repository", "team/app"]["policy"] == stated
        assert known["namespace", "team"]["policy"] == stated
        assert known["namespace", "team"]["quota"] == 1000

    def test_reading_and_renewing_tell_nothing(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.put(app, image(blob), "v1")
        _taken(hub)
        hub.do(hub.records.blobs.promise(app, blob.digest, hub.grace + DAY))
        hub.do(hub.records.manifests.pulled([(app, "v1", hub.clock())]))
        hub.put(app, image(blob), "v1")
        hub.upload(app)
        assert _taken(hub) == []

    def test_a_blob_that_got_another_key_is_told(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.finish(hub.upload(app, key="lost"), b"data")
        hub.finish(hub.upload(app, key="found"), b"data", lost="lost")
        told = _known(_taken(hub))["blob", Digest.of(b"data")]
        assert told == {"digest": Digest.of(b"data"), "size": 4, "key": "found"}

    def test_everything_is_what_the_changes_add_up_to(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other", Visibility.PUBLIC)
        blob = hub.push(app, b"data")
        hub.push(other, b"data")
        hub.put(app, image(blob), "v1")
        hub.put(other, image(blob, text="other"), "v1", "v2")
        hub.do(hub.records.manifests.delete_tag(other, "v1", terms=BY_BOB))
        last = hub.do(hub.records.outbox.waiting(1000))[-1].number
        everything = list(hub.records.outbox.everything())
        assert {entry.number for entry in everything} == {last}
        assert not any(entry.is_removed for entry in everything)
        assert _known(everything) == _known(_taken(hub))

    def test_a_manifest_that_went_meanwhile_is_told_as_gone(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        manifests = [hub.put(app, image(text=str(number))) for number in range(5)]
        for manifest in manifests:
            hub.do(hub.records.manifests.delete(app, manifest.digest, terms=BY_BOB))
        known = _known(_taken(hub))
        assert [name for name in known if name[0] == "manifest"] == []


def _taken(hub: Stage) -> list[Entry]:
    """Take everything out of the outbox, a little at a time."""
    taken: list[Entry] = []
    while entries := hub.do(hub.records.outbox.waiting(3)):
        taken += entries
        hub.do(hub.records.outbox.carried(entries[-1].number))
    return taken


def _known(entries: Iterable[Entry]) -> Known:
    """Return what somebody knows who has read the entries."""
    known: Known = {}
    for entry in entries:
        name = (entry.kind, *(entry.facts[part] for part in _NAMES[entry.kind]))
        known.pop(name, None)
        if not entry.is_removed:
            known[name] = dict(entry.facts)
    return known
