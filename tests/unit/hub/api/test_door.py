"""The door: who asks is noted, also when they are refused."""

from __future__ import annotations

import pytest

from nacre.hub.api.door import Door
from nacre.hub.api.observing import USER
from nacre.hub.api.request import Request
from nacre.hub.auth.gate import claimed_name
from nacre.hub.errors import Forbidden, NameUnknown, Unauthorized
from nacre.hub.repositories.repository import Visibility
from tests.unit.hub.api.calling import http
from tests.unit.hub.doors import Doors, basic, run_with


@pytest.mark.parametrize("target", ["", "owner/private"])
def test_the_name_of_a_failed_login_is_noted_for_the_log(target: str) -> None:
    async def test(doors: Doors) -> None:
        await doors.add_user("alice")
        door = Door(doors.gate, doors.records.repositories, visibility=Visibility.PUBLIC)
        scope = http("/v2/", headers={"Authorization": basic("alice", "guessed")})

        async def receive() -> dict[str, object]:
            return {}

        request = Request(scope, receive)
        with pytest.raises(Unauthorized):
            await (door.admit(request, target, frozenset()) if target else door.subject(request))
        assert scope[USER] == "alice"

    run_with(test)


@pytest.mark.parametrize("shown", [None, "", "Bearer x", "Basic zz:zz", "Basic", "Digest YTpi"])
def test_whoever_claims_no_name_has_none(shown: str | None) -> None:
    assert claimed_name(shown) == ""


@pytest.mark.parametrize(
    ("name", "actions", "refusal"),
    [
        ("owner/public", {"pull", "push"}, Forbidden),
        ("owner/private", {"pull"}, NameUnknown),
    ],
)
def test_who_is_refused_is_noted_for_the_log(
    name: str, actions: set[str], refusal: type[Exception]
) -> None:
    async def test(doors: Doors) -> None:
        for user in ("owner", "stranger"):
            await doors.add_user(user)
        await doors.add_repository("owner/public", Visibility.PUBLIC)
        await doors.add_repository("owner/private", Visibility.PRIVATE)
        door = Door(doors.gate, doors.records.repositories, visibility=Visibility.PUBLIC)
        scope = http("/v2/")
        scope["headers"] = [(b"authorization", basic("stranger").encode())]

        async def receive() -> dict[str, object]:
            return {}

        with pytest.raises(refusal):
            await door.admit(Request(scope, receive), name, frozenset(actions))
        assert scope[USER] == "stranger"

    run_with(test)
