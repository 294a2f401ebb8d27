"""Who gets which token, and how long a login that a client keeps is good."""

from __future__ import annotations

import pytest

from nacre.hub.auth.scopes import parse
from nacre.hub.errors import TooManyRequests, Unauthorized
from nacre.hub.repositories.repository import Visibility
from tests.unit.hub.doors import PASSWORD, Doors, access, run_with

ASKED = parse(["repository:alice/app:pull,push"])


async def refresh_token(doors: Doors) -> str:
    await doors.add_user("alice")
    issued = await doors.issuer.for_password("alice", PASSWORD, (), address="", offline=True)
    assert issued.refresh is not None
    return issued.refresh.text


def test_what_is_granted_is_what_is_asked_and_allowed() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        await doors.add_repository("team/app", Visibility.PUBLIC)
        asked = parse(["repository:alice/app:pull,push repository:team/app:pull,push,delete"])
        issued = await doors.issuer.for_password(
            "alice", PASSWORD, asked, address="", offline=False
        )
        assert list(issued.granted) == [
            access("alice/app", "pull", "push"),
            access("team/app", "pull"),
        ]
        assert issued.refresh is None
        anonymous = await doors.issuer.to_anybody(asked)
        assert list(anonymous.granted) == [access("alice/app"), access("team/app", "pull")]

    run_with(main)


def test_a_refresh_token_gets_access_tokens() -> None:
    async def main(doors: Doors) -> None:
        refresh = await refresh_token(doors)
        doors.clock.advance(days=80)
        issued = await doors.issuer.for_refresh(refresh, ASKED)
        assert issued.user == "alice"
        subject = await doors.tokens.read(issued.access.text)
        assert subject.scopes == {"alice/app": frozenset({"pull", "push"})}

    run_with(main)


@pytest.mark.parametrize("end", ["expired", "password", "removed", "made again"])
def test_a_refresh_token_ends(end: str) -> None:
    async def main(doors: Doors) -> None:
        refresh = await refresh_token(doors)
        users = doors.records.users
        match end:
            case "expired":
                doors.clock.advance(days=91)
            case "password":
                await users.set_password("alice", await doors.passwords.hash("another one"))
            case "removed":
                await users.remove("alice")
            case "made again":
                await users.remove("alice")
                await doors.add_user("alice")
        with pytest.raises(Unauthorized):
            await doors.issuer.for_refresh(refresh, ASKED)

    run_with(main)


def test_a_refresh_token_outlives_a_stronger_hash_of_the_same_password() -> None:
    async def main(doors: Doors) -> None:
        refresh = await refresh_token(doors)
        user = await doors.records.users.find("alice")
        assert user is not None
        stronger = await doors.passwords.hash(PASSWORD)
        await doors.records.users.rehash("alice", user.password_hash, stronger)
        assert (await doors.issuer.for_refresh(refresh, ASKED)).user == "alice"

    run_with(main)


def test_a_wrong_password_gets_nothing_and_is_counted() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        for _ in range(2):
            with pytest.raises(Unauthorized):
                await doors.issuer.for_password("alice", "no", ASKED, address="a", offline=False)
        with pytest.raises(TooManyRequests):
            await doors.issuer.for_password("alice", PASSWORD, ASKED, address="a", offline=False)

    run_with(main, most_failures=2)
