"""The token endpoint, as docker, podman and containerd ask it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from nacre.errors import Unavailable
from nacre.hub.api.observing import ROUTE, USER
from nacre.hub.api.token import TokenServer
from nacre.hub.errors import Busy, DiskFailed, OutOfSpace
from nacre.hub.repositories.repository import Visibility
from tests.servers.hub import Answer
from tests.unit.hub.api.calling import call, http
from tests.unit.hub.doors import PASSWORD, SERVICE, Doors, basic, run_with

PUSH = "repository:alice/app:pull,push"


async def get(
    doors: Doors,
    *fields: tuple[str, str],
    authorization: str = "",
    scope: dict[str, Any] | None = None,
) -> Answer:
    headers = {"Authorization": authorization} if authorization else {}
    asked = http("/token", query=urlencode(fields), headers=headers)
    asked.update(scope or {})
    return await call(app_of(doors), asked)


async def post(doors: Doors, **fields: str) -> Answer:
    form = urlencode(fields).encode()
    return await post_raw(doors, form)


async def post_raw(doors: Doors, form: bytes) -> Answer:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return await call(app_of(doors), http("/token", method="POST", headers=headers), form)


def app_of(doors: Doors) -> Starlette:
    answer = TokenServer(doors.issuer).answer
    return Starlette(routes=[Route("/token", answer, methods=["GET", "POST"])])


async def scopes_of(doors: Doors, answer: Answer) -> dict[str, frozenset[str]] | None:
    assert answer.status == 200
    return (await doors.tokens.read(answer.json["token"])).scopes


def test_docker_login_and_push() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        login = await get(
            doors,
            ("account", "alice"),
            ("client_id", "docker"),
            ("offline_token", "true"),
            ("service", SERVICE),
            authorization=basic("alice"),
        )
        assert login.json["refresh_token"]
        assert await scopes_of(doors, login) == {}
        push = await get(doors, ("scope", PUSH), ("service", SERVICE), authorization=basic("alice"))
        assert await scopes_of(doors, push) == {"alice/app": frozenset({"pull", "push"})}
        assert push.json["access_token"] == push.json["token"]
        assert push.json["expires_in"] == 300
        assert push.json["issued_at"] == "2026-01-01T00:00:00Z"
        assert "refresh_token" not in push.json
        assert push.headers["cache-control"] == "no-store"

    run_with(main)


def test_an_empty_name_and_password_are_nobodys() -> None:
    async def main(doors: Doors) -> None:
        answer = await get(doors, ("service", SERVICE), authorization=basic("", ""))
        assert (await doors.tokens.read(answer.json["token"])).user is None
        refused = await get(doors, authorization=basic("", "guess"))
        assert refused.status == 401

    run_with(main)


def test_only_what_is_granted_is_answered() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        await doors.add_repository("team/app", Visibility.PUBLIC)
        answer = await get(
            doors,
            ("scope", f"repository:team/app:pull,push {PUSH}"),
            ("scope", "repository:team/secret:pull"),
            ("scope", "cluster:x:admin"),
            authorization=basic("alice"),
        )
        assert answer.json["scope"] == f"repository:team/app:pull {PUSH}"

    run_with(main)


def test_the_anonymous_get_tokens_for_public_pulls() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_repository("team/app", Visibility.PUBLIC)
        answer = await get(
            doors, ("scope", "repository:team/app:pull,push"), ("offline_token", "true")
        )
        assert await scopes_of(doors, answer) == {"team/app": frozenset({"pull"})}
        assert "refresh_token" not in answer.json

    run_with(main)


def test_a_form_with_a_password_then_with_the_refresh_token() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        first = await post(
            doors,
            grant_type="password",
            username="alice",
            password=PASSWORD,
            service=SERVICE,
            client_id="containerd",
            access_type="offline",
            scope=PUSH,
        )
        assert await scopes_of(doors, first) == {"alice/app": frozenset({"pull", "push"})}
        again = await post(
            doors,
            grant_type="refresh_token",
            refresh_token=first.json["refresh_token"],
            service=SERVICE,
            client_id="containerd",
            scope=PUSH,
        )
        assert await scopes_of(doors, again) == {"alice/app": frozenset({"pull", "push"})}

    run_with(main)


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_a_wrong_password_is_refused_whoever_it_is_for(name: str) -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        for answer in (
            await get(doors, authorization=basic(name, "wrong")),
            await post(doors, grant_type="password", username=name, password="wrong"),
        ):
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith('Basic realm="')
            assert answer.json["errors"][0]["code"] == "UNAUTHORIZED"
            assert answer.json["errors"][0]["message"] == "incorrect username or password"

    run_with(main)


def test_a_token_cannot_be_turned_into_a_wider_one() -> None:
    # Gitea CVE-2026-28699 and like: a narrow credential that gets a wide one.
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        shown = await doors.bearer("alice", "repository:alice/app:pull")
        answer = await get(doors, ("scope", PUSH), authorization=shown)
        assert answer.status == 401
        narrow = shown.removeprefix("Bearer ")
        renewed = await post(doors, grant_type="refresh_token", refresh_token=narrow, scope=PUSH)
        assert renewed.status == 401

    run_with(main)


def test_guessing_is_stopped_with_429() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        for _ in range(3):
            assert (await get(doors, authorization=basic("alice", "guess"))).status == 401
        stopped = await get(doors, authorization=basic("alice"))
        assert stopped.status == 429
        assert stopped.json["errors"][0]["code"] == "TOOMANYREQUESTS"
        assert 1 <= int(stopped.headers["retry-after"]) <= 60
        doors.clock.advance(seconds=61)
        assert (await get(doors, authorization=basic("alice"))).status == 200

    run_with(main, most_failures=3)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OutOfSpace("no space left on /srv/hub"), 507, "the hub has no space left"),
        (DiskFailed("cannot write /srv/hub"), 503, "the hub cannot use its disk"),
        (Busy("too many logins at once"), 503, "too many logins at once"),
        (Unavailable("cannot be reached"), 503, "cannot be reached"),
        (ZeroDivisionError("secret"), 500, "internal error"),
    ],
)
def test_what_fails_is_answered_as_everywhere_else(
    error: Exception, status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(doors: Doors) -> None:
        async def failing(_name: str) -> None:
            raise error

        monkeypatch.setattr(doors.records.users, "find", failing)
        answer = await get(doors, authorization=basic("alice"))
        assert answer.status == status
        assert answer.json["errors"][0]["message"] == said
        assert answer.headers.get("retry-after") == (None if status == 500 else "5")
        assert answer.headers["cache-control"] == "no-store"

    run_with(main)


@pytest.mark.parametrize(
    "form",
    [b"", b"grant_type=", b"grant_type=device_code", b"grant_type=password&service=another",
     b"grant_type=\xff", b"x=1&" * 500, b"a" * 100_000, b"grant_type=refresh_token&a=" * 200],
)  # fmt: skip
def test_forms_that_cannot_be_understood(form: bytes) -> None:
    async def main(doors: Doors) -> None:
        answer = await post_raw(doors, form)
        assert answer.status == 400
        assert answer.json["errors"]

    run_with(main)


@pytest.mark.parametrize(
    "fields",
    [{"grant_type": "refresh_token"}, {"grant_type": "refresh_token", "refresh_token": "x.y.z"},
     {"grant_type": "password"}, {"grant_type": "password", "username": "\0", "password": "\0"}],
)  # fmt: skip
def test_forms_that_show_nothing_good(fields: dict[str, str]) -> None:
    async def main(doors: Doors) -> None:
        assert (await post(doors, **fields)).status == 401

    run_with(main)


def test_tokens_for_another_service_are_not_given() -> None:
    async def main(doors: Doors) -> None:
        assert (await get(doors, ("service", "another-hub"))).status == 400

    run_with(main)


def test_the_log_learns_who_asked_also_when_refused() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        server = TokenServer(doors.issuer)
        for password, status in ((PASSWORD, 200), ("wrong", 401)):
            from starlette.requests import Request

            scope = http("/token", headers={"Authorization": basic("alice", password)})
            answer = await server.answer(Request(scope))
            assert answer.status_code == status
            assert (scope[ROUTE], scope[USER]) == ("token", "alice")

    run_with(main)
