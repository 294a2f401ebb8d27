"""The contract suite of namespaces and repositories."""

from __future__ import annotations

from datetime import timedelta

from nacre.hub.errors import NameUnknown
from nacre.hub.jobs.queue import Collected
from nacre.hub.repositories.policy import Policy, Retention
from nacre.hub.repositories.repository import Role, Visibility
from nacre.oci.digest import Digest
from nacre.testing.contracts import raises
from nacre.testing.hub_contracts.stage import BY_BOB, DAY, HOUR, Stage, image


class RepositoriesContract:
    """What `Repositories` promise, but for roles."""

    def test_a_repository_and_its_namespace_come_to_be_once(self, hub: Stage) -> None:
        ensure = hub.records.repositories.ensure
        made = hub.do(ensure("team/app/web", Visibility.PUBLIC))
        assert (made.name, made.visibility, made.policy) == (
            "team/app/web",
            Visibility.PUBLIC,
            Policy(),
        )
        assert hub.do(ensure("team/app/web", Visibility.PRIVATE)) == made
        (space,) = hub.do(hub.records.repositories.namespaces())
        assert (space.id, space.name, space.visibility) == (
            made.namespace_id,
            "team",
            Visibility.PUBLIC,
        )
        assert (space.policy, space.quota, space.used) == (Policy(), None, 0)

    def test_a_repository_in_which_nothing_was_completed_is_not_listed(self, hub: Stage) -> None:
        ghost, blob, manifest = (hub.repository(f"team/{name}") for name in ("a", "b", "c"))
        hub.upload(ghost)
        digest = hub.push(blob, b"data").digest
        hub.put(manifest, image(), "v1")
        repositories = hub.records.repositories
        hub.do(hub.records.users.add("root", "hash", is_admin=True))
        for _ in range(2):
            listed = hub.do(repositories.names("root", after="", limit=9))
            found = hub.do(repositories.search("root", "team", 9))
            assert list(listed) == [each.name for each in found] == ["team/b", "team/c"]
        hub.do(hub.records.blobs.unlink(blob, digest))
        assert list(hub.do(repositories.names("root", after="", limit=9))) == ["team/c"]

    def test_a_repository_in_which_nothing_was_completed_is_collected(self, hub: Stage) -> None:
        hub.repository("team/ghost")
        hub.review(hub.clock() + DAY / 2)
        assert _is_known(hub, "team/ghost"), "a push may be under way"
        hub.clock.go(DAY)
        assert hub.review(hub.clock()) == Collected()
        assert not _is_known(hub, "team/ghost")

    def test_a_repository_is_not_collected_under_an_upload(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        hub.clock.go(DAY)
        hub.review(hub.clock())
        assert hub.finish(upload, b"data").size == 4
        hub.clock.go(DAY)
        hub.review(hub.clock() - HOUR)
        assert _is_known(hub, "team/app")
        hub.clock.go(DAY)
        hub.review(hub.clock())
        assert not _is_known(hub, "team/app"), "the blob expired, and nothing else came"

    def test_a_repository_about_which_somebody_said_something_stays(self, hub: Stage) -> None:
        repositories = hub.records.repositories
        hub.do(hub.records.users.add("bob", "hash", is_admin=False))
        for name in ("granted", "hidden", "ruled", "tagged"):
            hub.repository(f"team/{name}", Visibility.PUBLIC)
        hub.do(repositories.grant("team/granted", "bob", Role.READER))
        hub.do(repositories.change("team/hidden", visibility=Visibility.PRIVATE))
        hub.do(repositories.change("team/ruled", policy=Policy(immutable="v.*")))
        tagged = hub.repository("team/tagged")
        manifest = hub.put(tagged, image(), "v1")
        hub.do(hub.records.manifests.delete(tagged, manifest.digest, terms=BY_BOB))
        hub.clock.go(2 * DAY)
        hub.review(hub.clock())
        hub.collect()
        for name in ("granted", "hidden", "ruled", "tagged"):
            assert _is_known(hub, f"team/{name}")

    def test_namespaces_are_listed_by_name(self, hub: Stage) -> None:
        for name in ("b/app", "a-b/app", "a/app", "a/other"):
            hub.repository(name)
        names = [space.name for space in hub.do(hub.records.repositories.namespaces())]
        assert names == ["a", "a-b", "b"]

    def test_a_removed_repository_is_gone_at_once(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.put(app, image(blob), "v1")
        hub.do(hub.records.repositories.remove("team/app"))
        standing = hub.do(hub.records.repositories.standing("team/app", None))
        assert standing.repository is None
        assert standing.namespace is not None
        assert not hub.has(app, blob.digest)
        assert not hub.do(hub.records.blobs.promise(app, blob.digest, hub.grace))
        with raises(NameUnknown):
            hub.do(hub.records.repositories.remove("team/app"))

    def test_a_new_repository_of_an_old_name_is_empty(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        blob = hub.push(app, b"data")
        hub.put(app, image(blob), "v1")
        hub.do(hub.records.repositories.change("team/app", policy=Policy(immutable=".*")))
        hub.do(hub.records.repositories.remove("team/app"))
        again = hub.do(hub.records.repositories.ensure("team/app", Visibility.PUBLIC))
        assert again.id != app, "an id is never given out again"
        assert again.policy == Policy()
        assert not hub.has(again.id, blob.digest)
        assert hub.tagged(again.id, "v1") is None
        assert list(hub.do(hub.records.manifests.history(again.id, None, 9))) == []

    def test_the_bytes_of_a_removed_repository_are_collected(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        shared, own = hub.push(app, b"shared"), hub.push(app, b"own")
        hub.push(other, b"shared")
        hub.put(app, image(shared, own), "v1")
        hub.put(other, image(shared), "v1")
        hub.do(hub.records.repositories.remove("team/app"))
        trash = hub.trash(hub.clock() + 365 * DAY)
        hub.review(hub.clock() + 3 * DAY)
        assert hub.trash(hub.clock() + 365 * DAY) - trash == {own.key}
        assert hub.has(other, shared.digest)

    def test_names_come_in_pages_in_ascii_order(self, hub: Stage) -> None:
        names = sorted(["a/b", "a-b/c", "a/b-c", "a/b/c", "a/b_c", "a0/b", "b/a"])
        for name in reversed(names):
            hub.push(hub.repository(name, Visibility.PUBLIC), b"data")
        listing = hub.records.repositories.names
        assert list(hub.do(listing(None, after="", limit=100))) == names
        assert list(hub.do(listing(None, after="", limit=3))) == names[:3]
        assert list(hub.do(listing(None, after=names[2], limit=3))) == names[3:6]
        assert list(hub.do(listing(None, after="a/bb", limit=100))) == [
            name for name in names if name > "a/bb"
        ]

    def test_a_search_finds_what_holds_the_text_itself(self, hub: Stage) -> None:
        for name in ("team/a_b", "team/a-b", "team/axb", "ab/team"):
            hub.push(hub.repository(name, Visibility.PUBLIC), b"data")
        assert _found(hub, "a_b") == ["team/a_b"]
        assert _found(hub, "a-") == ["team/a-b"]
        assert _found(hub, "%") == []
        assert _found(hub, "\\") == []
        assert _found(hub, "team") == ["ab/team", "team/a-b", "team/a_b", "team/axb"]
        assert _found(hub, "team", 2) == ["ab/team", "team/a-b"]

    def test_who_may_pull_learns_which_repositories_have_a_blob(self, hub: Stage) -> None:
        public = hub.repository("team/public", Visibility.PUBLIC)
        private, empty = hub.repository("bob/private"), hub.repository("team/empty")
        blob = hub.push(public, b"layer")
        hub.push(private, b"layer")
        hub.push(empty, b"another")
        hub.do(hub.records.users.add("boss", "hash", is_admin=True))
        hub.do(hub.records.users.add("carol", "hash", is_admin=False))
        holders = hub.records.repositories.holders
        assert hub.do(holders(blob.digest, None)) == {public}
        assert hub.do(holders(blob.digest, "carol")) == {public}
        assert hub.do(holders(blob.digest, "nobody")) == {public}
        assert hub.do(holders(blob.digest, "boss")) == {public, private}
        hub.do(hub.records.repositories.grant("bob/private", "carol", Role.READER))
        assert hub.do(holders(blob.digest, "carol")) == {public, private}
        assert hub.do(holders(Digest.of(b"nowhere"), "boss")) == frozenset()

    def test_changes_are_only_of_what_is_told(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        policy = Policy(
            sparse=True,
            immutable="v.*",
            retention=Retention(
                last=3,
                pushed_within=timedelta(days=2),
                pulled_within=timedelta(hours=5),
                matching="x+",
            ),
        )
        change = hub.records.repositories.change
        changed = hub.do(change("team/app", policy=policy))
        assert (changed.id, changed.visibility, changed.policy) == (
            app,
            Visibility.PRIVATE,
            policy,
        )
        changed = hub.do(change("team/app", visibility=Visibility.PUBLIC))
        assert (changed.visibility, changed.policy) == (Visibility.PUBLIC, policy)
        assert hub.do(change("team/app")) == changed
        assert hub.do(hub.records.repositories.ensure("team/app", Visibility.PRIVATE)) == changed
        with raises(NameUnknown):
            hub.do(change("team/absent", visibility=Visibility.PUBLIC))

    def test_a_namespace_fills_the_gaps_of_a_policy(self, hub: Stage) -> None:
        hub.repository("team/app")
        hub.repository("team/other")
        repositories = hub.records.repositories
        space = Policy(sparse=True, immutable="v.*", retention=Retention(last=3))
        hub.do(repositories.change_namespace("team", policy=space))
        own = Policy(immutable="w.*", retention=Retention(matching="x"))
        changed = hub.do(repositories.change("team/app", policy=own))
        assert changed.policy == Policy(
            sparse=True, immutable="w.*", retention=Retention(matching="x")
        )
        other = hub.do(repositories.standing("team/other", None)).repository
        assert other is not None
        assert other.policy == space
        hub.do(repositories.change_namespace("team", policy=Policy()))
        app = hub.do(repositories.standing("team/app", None)).repository
        assert app is not None
        assert app.policy == own, "what a namespace filled in is not the repository's own"

    def test_a_namespace_is_made_by_changing_it(self, hub: Stage) -> None:
        change = hub.records.repositories.change_namespace
        made = hub.do(change("team"))
        assert (made.visibility, made.policy, made.quota) == (Visibility.PRIVATE, Policy(), None)
        changed = hub.do(
            change("team", visibility=Visibility.PUBLIC, policy=Policy(sparse=True), quota=9)
        )
        assert changed.id == made.id
        assert hub.do(change("team")) == changed
        assert list(hub.do(hub.records.repositories.namespaces())) == [changed]


def _found(hub: Stage, text: str, limit: int = 100) -> list[str]:
    found = hub.do(hub.records.repositories.search(None, text, limit))
    return [repository.name for repository in found]


def _is_known(hub: Stage, name: str) -> bool:
    return hub.do(hub.records.repositories.standing(name, None)).repository is not None
