"""The contract suite of who may see what."""

from __future__ import annotations

from itertools import product

from nacre.errors import NotFound
from nacre.hub.accounts.user import Identity
from nacre.hub.repositories.repository import Role, Standing, Visibility
from nacre.testing.contracts import raises
from nacre.testing.hub_contracts.stage import Stage


class StandingContract:
    """What `Repositories` promise about people and roles."""

    def test_nothing_is_known_of_an_absent_repository(self, hub: Stage) -> None:
        nothing = Standing(None, None, None, is_admin=False, identity=None)
        assert _standing(hub, "team/app", None) == nothing
        assert _standing(hub, "team/app", "nobody") == nothing

    def test_an_absent_repository_may_have_a_namespace(self, hub: Stage) -> None:
        space = hub.do(hub.records.repositories.change_namespace("team"))
        standing = _standing(hub, "team/app", None)
        assert standing.repository is None
        assert standing.namespace == space

    def test_the_anonymous_have_no_role(self, hub: Stage) -> None:
        for visibility in Visibility:
            hub.repository(f"team/{visibility}", visibility)
            standing = _standing(hub, f"team/{visibility}", None)
            assert standing.repository is not None
            assert standing.repository.visibility is visibility
            assert (standing.role, standing.is_admin, standing.identity) == (None, False, None)

    def test_a_user_is_told_from_an_earlier_one_of_the_name(self, hub: Stage) -> None:
        users = hub.records.users
        hub.do(users.add("bob", "hash", is_admin=False))
        first = _standing(hub, "team/app", "bob").identity
        hub.do(users.set_password("bob", "new"))
        second = _standing(hub, "team/app", "bob").identity
        hub.do(users.remove("bob"))
        hub.do(users.add("bob", "hash", is_admin=False))
        third = _standing(hub, "team/app", "bob").identity
        assert len({None, first, second, third}) == 4

    def test_a_known_user_has_a_role_only_by_grant(self, hub: Stage) -> None:
        _users(hub)
        hub.repository("team/app")
        standing = _standing(hub, "team/app", "bob")
        assert (standing.role, standing.is_admin) == (None, False)
        assert standing.identity == _identity(hub, "bob")

    def test_an_admin_is_one_everywhere(self, hub: Stage) -> None:
        _users(hub)
        hub.repository("team/app")
        for name in ("team/app", "team/absent", "absent/absent"):
            standing = _standing(hub, name, "root")
            assert (standing.role, standing.is_admin) == (None, True)
            assert standing.identity == _identity(hub, "root")

    def test_the_highest_role_of_namespace_and_repository_holds(self, hub: Stage) -> None:
        _users(hub)
        hub.repository("team/app")
        ranks: list[Role | None] = [None, *Role]
        for wide, narrow in product(ranks, ranks):
            _grant(hub, "team/", wide)
            _grant(hub, "team/app", narrow)
            highest = max(wide, narrow, key=ranks.index)
            assert _standing(hub, "team/app", "bob").role is highest
            assert _standing(hub, "team/other", "bob").role is wide
            assert _standing(hub, "teams/app", "bob").role is None
            assert _standing(hub, "team/app", "root").role is None

    def test_a_deep_repository_belongs_to_its_first_part(self, hub: Stage) -> None:
        _users(hub)
        hub.repository("team/app")
        hub.repository("team/app/web")
        _grant(hub, "team/app", Role.WRITER)
        assert _standing(hub, "team/app/web", "bob").role is None
        _grant(hub, "team/", Role.READER)
        assert _standing(hub, "team/app/web", "bob").role is Role.READER

    def test_only_what_is_there_can_be_granted(self, hub: Stage) -> None:
        _users(hub)
        hub.repository("team/app")
        for place, user in (
            ("team/app", "nobody"),
            ("team/absent", "bob"),
            ("absent/", "bob"),
            ("team/app/", "bob"),
        ):
            with raises(NotFound):
                hub.do(hub.records.repositories.grant(place, user, Role.READER))

    def test_roles_do_not_outlive_a_repository(self, hub: Stage) -> None:
        _users(hub)
        first = hub.repository("team/app")
        _grant(hub, "team/app", Role.OWNER)
        hub.do(hub.records.repositories.remove("team/app"))
        assert hub.repository("team/app") != first
        assert _standing(hub, "team/app", "bob").role is None

    def test_the_catalog_shows_what_one_may_pull(self, hub: Stage) -> None:
        _users(hub)
        for name in ("team/public", "library/public"):
            hub.push(hub.repository(name, Visibility.PUBLIC), b"data")
        for name in ("bob/own", "team/granted", "team/private", "wide/app"):
            hub.push(hub.repository(name), b"data")
        _grant(hub, "team/granted", Role.READER)
        _grant(hub, "wide/", Role.READER)
        public = ["library/public", "team/public"]
        assert _names(hub, None) == _names(hub, "nobody") == public
        mine = ["bob/own", "library/public", "team/granted", "team/public", "wide/app"]
        assert _names(hub, "bob") == mine
        assert len(_names(hub, "root")) == 6
        for user, expected in ((None, public), ("bob", mine)):
            found = hub.do(hub.records.repositories.search(user, "", 100))
            assert [repository.name for repository in found] == expected

    def test_a_repository_counts_and_not_its_namespace(self, hub: Stage) -> None:
        spaces = hub.records.repositories
        hub.do(spaces.change_namespace("open", visibility=Visibility.PUBLIC))
        hub.do(spaces.change_namespace("closed", visibility=Visibility.PRIVATE))
        hub.push(hub.repository("open/private", Visibility.PRIVATE), b"data")
        hub.push(hub.repository("closed/public", Visibility.PUBLIC), b"data")
        assert _names(hub, None) == ["closed/public"]


def _users(hub: Stage) -> None:
    hub.do(hub.records.users.add("bob", "hash", is_admin=False))
    hub.do(hub.records.users.add("root", "hash", is_admin=True))


def _identity(hub: Stage, name: str) -> Identity:
    user = hub.do(hub.records.users.find(name))
    assert user is not None
    return user.identity


def _standing(hub: Stage, name: str, user: str | None) -> Standing:
    return hub.do(hub.records.repositories.standing(name, user))


def _grant(hub: Stage, place: str, role: Role | None) -> None:
    hub.do(hub.records.repositories.grant(place, "bob", role))


def _names(hub: Stage, user: str | None) -> list[str]:
    return list(hub.do(hub.records.repositories.names(user, after="", limit=100)))
