"""The contract suite of users."""

from __future__ import annotations

from dataclasses import replace

from nacre.errors import AlreadyExists, NotFound
from nacre.hub.accounts.user import User
from nacre.hub.repositories.repository import Role, Visibility
from nacre.testing.contracts import raises
from nacre.testing.hub_contracts.stage import Stage


class UsersContract:
    """What `Users` promise."""

    def test_a_user_is_found_as_added(self, hub: Stage) -> None:
        bob = _add(hub, "bob")
        ann = hub.do(hub.records.users.add("ann", "other hash", is_admin=True))
        assert (bob.name, bob.password_hash, bob.is_admin) == ("bob", "hash", False)
        assert bob.created_at == hub.clock()
        assert ann.is_admin
        assert hub.do(hub.records.users.find("bob")) == bob
        assert hub.do(hub.records.users.find("Bob")) is None
        assert hub.do(hub.records.users.find("eve")) is None
        assert list(hub.do(hub.records.users.all())) == [ann, bob]

    def test_a_namespace_without_a_user_is_adopted_on_demand_only(self, hub: Stage) -> None:
        users = hub.records.users
        hub.repository("alice/app")
        with raises(AlreadyExists):
            hub.do(users.add("alice", "hash", is_admin=False))
        hub.do(users.add("alice", "hash", is_admin=False, adopt=True))
        standing = hub.do(hub.records.repositories.standing("alice/app", "alice"))
        assert standing.role is Role.OWNER
        with raises(AlreadyExists):
            hub.do(users.add("alice", "hash", is_admin=False, adopt=True))

    def test_a_user_owns_the_private_namespace_of_the_name(self, hub: Stage) -> None:
        _add(hub, "bob")
        standing = hub.do(hub.records.repositories.standing("bob/app", "bob"))
        assert standing.namespace is not None
        assert standing.namespace.visibility is Visibility.PRIVATE
        assert standing.role is Role.OWNER
        assert standing.repository is None

    def test_a_taken_name_is_refused(self, hub: Stage) -> None:
        bob = _add(hub, "bob")
        hub.repository("team/app")
        for name in ("bob", "team"):
            with raises(AlreadyExists):
                hub.do(hub.records.users.add(name, "new", is_admin=True))
        assert list(hub.do(hub.records.users.all())) == [bob]

    def test_a_new_password_ends_what_was_given_out_before(self, hub: Stage) -> None:
        bob = _add(hub, "bob")
        hub.do(hub.records.users.set_password("bob", "new"))
        changed = _find(hub, "bob")
        assert changed.epoch > bob.epoch
        assert changed == replace(bob, password_hash="new", epoch=changed.epoch)  # noqa: S106
        with raises(NotFound):
            hub.do(hub.records.users.set_password("eve", "new"))

    def test_a_stronger_hash_ends_nothing(self, hub: Stage) -> None:
        bob = _add(hub, "bob")
        hub.do(hub.records.users.rehash("bob", "hash", "stronger"))
        assert _find(hub, "bob") == replace(bob, password_hash="stronger")  # noqa: S106
        hub.do(hub.records.users.rehash("bob", "hash", "late"))
        assert _find(hub, "bob").password_hash == "stronger"  # noqa: S105
        hub.do(hub.records.users.rehash("eve", "hash", "late"))
        assert hub.do(hub.records.users.find("eve")) is None

    def test_a_removed_user_has_no_roles_and_leaves_repositories(self, hub: Stage) -> None:
        _add(hub, "bob")
        hub.repository("bob/app")
        hub.repository("team/app")
        for place in ("team/", "team/app"):
            hub.do(hub.records.repositories.grant(place, "bob", Role.OWNER))
        hub.do(hub.records.users.remove("bob"))
        assert hub.do(hub.records.users.find("bob")) is None
        for name in ("bob/app", "team/app"):
            standing = hub.do(hub.records.repositories.standing(name, "bob"))
            assert standing.repository is not None
            assert standing.role is None
            assert standing.identity is None
        with raises(NotFound):
            hub.do(hub.records.users.remove("bob"))

    def test_a_name_is_not_given_out_while_its_namespace_holds_anything(self, hub: Stage) -> None:
        bob = _add(hub, "bob")
        hub.repository("bob/app")
        hub.do(hub.records.users.remove("bob"))
        with raises(AlreadyExists):
            _add(hub, "bob")
        ann = _add(hub, "ann")
        hub.do(hub.records.users.remove("ann"))
        again = _add(hub, "ann")
        assert len({bob.id, ann.id, again.id}) == 3, "an id is never given out again"


def _add(hub: Stage, name: str) -> User:
    return hub.do(hub.records.users.add(name, "hash", is_admin=False))


def _find(hub: Stage, name: str) -> User:
    user = hub.do(hub.records.users.find(name))
    assert user is not None
    return user
