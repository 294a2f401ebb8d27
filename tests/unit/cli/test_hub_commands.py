"""``nacre hub user``, ``repo`` and ``namespace``: on the records of a hub in a folder."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from nacre.hub.accounts.passwords import Passwords
from nacre.hub.records import Records
from nacre.hub.repositories.policy import Policy
from nacre.hub.repositories.repository import Role, Visibility
from nacre.hub.storage.sql import open_records
from tests.unit.cli.running import Ended, run

T = TypeVar("T")


def on(data: Path, work: Callable[[Records], Awaitable[T]]) -> T:
    async def main() -> T:
        async with open_records(data / "hub.db") as records:
            return await work(records)

    return asyncio.run(main())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of a hub with a user and a repository."""

    async def fill(records: Records) -> None:
        await records.users.add("alice", "no hash", is_admin=True)
        await records.users.add("bob", "no hash", is_admin=False)
        await records.repositories.ensure("alice/app", Visibility.PRIVATE)
        await records.repositories.ensure("library/nginx", Visibility.PUBLIC)

    on(tmp_path, fill)
    return tmp_path


def piped(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def good(ended: Ended) -> str:
    assert (ended.code, ended.err) == (0, "")
    return ended.out


def refused(ended: Ended) -> str:
    assert ended.code == 1
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    return ended.err


def test_a_user_that_was_added_has_its_password(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, b"correct horse\n")
    ended = run("hub", "user", "add", "carol", "--admin", "--password-stdin", "--data", str(data))
    assert good(ended) == "carol\n"

    async def check(records: Records) -> None:
        user = await records.users.find("carol")
        assert user is not None
        assert user.is_admin
        with Passwords() as passwords:
            assert await passwords.matches(user.password_hash, "correct horse")

    on(data, check)


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("Carol", b"correct horse", "cannot be a user's name"),
        ("library", b"correct horse", "reserved"),
        ("carol", b"short", "too short"),
        ("carol", b"", "password is empty"),
        ("carol", b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe", "no UTF-8"),
        ("alice", b"correct horse", "alice"),
    ],
)
def test_users_that_cannot_be_added(
    data: Path, monkeypatch: pytest.MonkeyPatch, name: str, password: bytes, said: str
) -> None:
    piped(monkeypatch, password)
    before = run("hub", "user", "ls", "--data", str(data)).out
    ended = run("hub", "user", "add", name, "--password-stdin", "--data", str(data))
    assert said in refused(ended)
    assert run("hub", "user", "ls", "--data", str(data)).out == before


def test_without_a_terminal_a_password_is_not_asked_for(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, b"correct horse\n")
    ended = run("hub", "user", "add", "carol", "--data", str(data))
    assert "--password-stdin" in refused(ended)


def test_a_changed_password_ends_earlier_logins(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, b"another one\n")
    assert (
        good(run("hub", "user", "passwd", "bob", "--password-stdin", f"--data={data}")) == "bob\n"
    )

    async def check(records: Records) -> None:
        user = await records.users.find("bob")
        assert user is not None
        assert user.epoch == 1
        assert user.password_hash.startswith("$argon2id$")

    on(data, check)


def test_the_password_of_nobody_is_not_even_asked_for(data: Path) -> None:
    ended = run("hub", "user", "passwd", "nobody", "--data", str(data))
    assert "there is no user 'nobody'" in refused(ended)


def test_users_are_listed(data: Path) -> None:
    lines = good(run("hub", "user", "ls", "--data", str(data))).splitlines()
    assert lines[0].split() == ["NAME", "ROLE", "CREATED", "AT"]
    assert [line.split()[:2] for line in lines[1:]] == [["alice", "admin"], ["bob", "user"]]
    out = good(run("hub", "user", "ls", "--data", str(data), "--format", "json"))
    assert [json.loads(line)["Name"] for line in out.splitlines()] == ["alice", "bob"]
    assert good(run("hub", "user", "ls", "--data", str(data), "--format", "{{.Name}}")) == (
        "alice\nbob\n"
    )


def test_one_that_cannot_be_removed_does_not_keep_the_others(data: Path) -> None:
    ended = run("hub", "user", "rm", "nobody", "bob", "--data", str(data))
    assert ended.code == 1
    assert ended.out == "bob\n"
    assert "nobody" in ended.err
    assert good(run("hub", "user", "ls", "--data", str(data), "--format", "{{.Name}}")) == (
        "alice\n"
    )


def test_repositories_are_listed_private_ones_too(data: Path) -> None:
    lines = good(run("hub", "repo", "ls", "--data", str(data))).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["alice/app", "private", "false"],
        ["library/nginx", "public", "false"],
    ]


def test_what_holds_in_a_repository_is_changed_a_thing_at_a_time(data: Path) -> None:
    where = f"--data={data}"
    assert good(run("hub", "repo", "set", "nginx", "--visibility", "private", where)) == "nginx\n"
    good(run("hub", "repo", "set", "nginx", "--immutable", "v.*", where))
    good(run("hub", "repo", "set", "nginx", "--sparse", where))

    async def check(records: Records) -> None:
        found = (await records.repositories.standing("library/nginx", None)).repository
        assert found is not None
        assert found.visibility is Visibility.PRIVATE
        assert found.policy == Policy(sparse=True, immutable="v.*")

    on(data, check)
    good(run("hub", "repo", "set", "nginx", "--immutable=", "--no-sparse", where))

    async def check_again(records: Records) -> None:
        found = (await records.repositories.standing("library/nginx", None)).repository
        assert found is not None
        assert found.policy == Policy()

    on(data, check_again)


def test_what_a_namespace_says_is_not_written_into_its_repositories(data: Path) -> None:
    where = f"--data={data}"
    good(run("hub", "namespace", "set", "library", "--immutable", "v.*", where))
    good(run("hub", "repo", "set", "nginx", "--sparse", where))
    good(run("hub", "namespace", "set", "library", "--immutable=", where))

    async def check(records: Records) -> None:
        found = (await records.repositories.standing("library/nginx", None)).repository
        assert found is not None
        assert found.policy == Policy(sparse=True)

    on(data, check)


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["set", "nobody/app", "--sparse"], "there is no repository", 1),
        (["set", "nginx", "--immutable", "("], "no regular expression", 1),
        (["set", "nginx", "--visibility", "secret"], "must be one of public, private", 125),
        (["set", "nginx", "--sparse", "--no-sparse"], "conflicting options", 1),
        (["set", "nginx"], "nothing is to be changed", 1),
        (["grant", "nginx", "nobody", "reader"], "no user", 1),
        (["grant", "nginx", "bob", "king"], "is no role", 1),
        (["grant", "nobody/app", "bob", "reader"], "no", 1),
        (["revoke", "nginx", "nobody"], "no user", 1),
        (["revoke", "nginx", "bob"], "'bob' has no role in 'nginx'", 1),
        (["revoke", "library/", "bob"], "'bob' has no role in 'library/'", 1),
        (["rm", "nobody/app"], "nobody/app", 1),
    ],
)
def test_what_cannot_be_done_to_a_repository(
    data: Path, words: list[str], said: str, code: int
) -> None:
    ended = run("hub", "repo", *words, "--data", str(data))
    assert ended.code == code
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_roles_are_given_and_taken_away(data: Path) -> None:
    async def role(records: Records) -> Role | None:
        return (await records.repositories.standing("alice/app", "bob")).role

    where = f"--data={data}"
    good(run("hub", "repo", "grant", "alice/app", "bob", "writer", where))
    assert on(data, role) is Role.WRITER
    good(run("hub", "repo", "grant", "alice/", "bob", "owner", where))
    assert on(data, role) is Role.OWNER
    good(run("hub", "repo", "revoke", "alice/", "bob", where))
    assert on(data, role) is Role.WRITER
    good(run("hub", "repo", "revoke", "alice/app", "bob", where))
    assert on(data, role) is None


def test_a_role_that_is_left_by_the_namespace_is_told(data: Path) -> None:
    where = f"--data={data}"
    good(run("hub", "repo", "grant", "alice/app", "bob", "owner", where))
    good(run("hub", "repo", "grant", "alice/", "bob", "reader", where))
    ended = run("hub", "repo", "revoke", "alice/app", "bob", where)
    assert (ended.code, ended.out) == (0, "alice/app\n")
    assert ended.err == "bob still has the role reader in the whole namespace alice/\n"


def test_repositories_are_listed_where_there_are_no_users(tmp_path: Path) -> None:
    async def fill(records: Records) -> None:
        await records.repositories.ensure("library/nginx", Visibility.PUBLIC)

    on(tmp_path, fill)
    out = good(run("hub", "repo", "ls", "--format", "{{.Name}}", f"--data={tmp_path}"))
    assert out == "library/nginx\n"


def test_repositories_are_removed(data: Path) -> None:
    assert good(run("hub", "repo", "rm", "nginx", "alice/app", f"--data={data}")) == (
        "nginx\nalice/app\n"
    )
    assert good(run("hub", "repo", "ls", f"--data={data}", "--format", "{{.Name}}")) == ""


def test_namespaces_are_made_changed_and_listed(data: Path) -> None:
    where = f"--data={data}"
    good(run("hub", "namespace", "set", "team", "--quota", "10GB", "--visibility", "public", where))
    out = good(run("hub", "namespace", "ls", where, "--format", "json"))
    rows = {row["Name"]: row for row in map(json.loads, out.splitlines())}
    assert set(rows) == {"alice", "bob", "library", "team"}
    assert rows["team"]["Quota"] == "10GB"
    assert rows["team"]["Visibility"] == "public"
    good(run("hub", "namespace", "set", "team", "--quota", "0", where))
    out = good(run("hub", "namespace", "ls", where, "--format", "{{.Name}}={{.Quota}}"))
    assert "team=\n" in out


def test_a_file_that_is_named_is_printed_as_it_is_in_force(tmp_path: Path) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text('[registry]\nquota = "7GB"\n')
    assert 'quota = "7GB"' in good(run("hub", "config", f"--config={settings}"))
    assert 'quota = "7GB"' not in good(run("hub", "config"))


def test_the_namespace_of_a_new_user_is_as_the_settings_say(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text('[registry]\nvisibility = "private"\nquota = "10GB"\n')
    add = ("hub", "user", "add", "--password-stdin", f"--data={data}")
    piped(monkeypatch, b"good enough")
    good(run(*add, f"--config={settings}", "carol"))
    piped(monkeypatch, b"good enough")
    good(run(*add, "dave"))
    row = "{{.Name}} {{.Visibility}} {{.Quota}}"
    listed = good(run("hub", "namespace", "ls", f"--data={data}", "--format", row)).splitlines()
    assert {"carol private 10GB", "dave public "} <= set(listed)


def test_a_namespace_that_is_there_is_the_users_only_when_that_is_said(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = ("hub", "user", "add", "--password-stdin", f"--data={data}")
    good(run("hub", "namespace", "set", "team", f"--data={data}"))
    piped(monkeypatch, b"good enough")
    assert "with --adopt the namespace" in refused(run(*add, "team"))
    piped(monkeypatch, b"good enough")
    good(run(*add, "--adopt", "team"))
    piped(monkeypatch, b"good enough")
    assert refused(run(*add, "--adopt", "team")) == (
        "Error: the name 'team' is taken ('nacre hub user passwd' changes a password)\n"
    )


@pytest.mark.parametrize("kind", ["public", "private"])
def test_the_namespace_of_a_new_user_is_as_visible_as_the_settings_say(
    data: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NACRE_HUB_REGISTRY_VISIBILITY", kind)
    piped(monkeypatch, b"good enough")
    good(run("hub", "user", "add", "--password-stdin", "carol", f"--data={data}"))
    good(run("hub", "namespace", "set", "team", f"--data={data}"))
    shown = "{{.Name}} {{.Visibility}}"
    out = good(run("hub", "namespace", "ls", f"--data={data}", "--format", shown))
    assert {f"carol {kind}", f"team {kind}"} <= set(out.splitlines())


def test_no_hub_in_the_folder(tmp_path: Path) -> None:
    ended = run("hub", "user", "ls", "--data", str(tmp_path / "none"))
    assert "there is no hub" in refused(ended)
    assert not (tmp_path / "none").exists()


def test_without_the_extra_one_line_says_what_to_install(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [*sys.modules]:
        if name.startswith(("nacre.hub.storage", "nacre.hub.opening")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert "install nacre[hub]" in refused(run("hub", "user", "ls", "--data", str(data)))


@pytest.mark.parametrize("words", [["hub"], ["hub", "user"], ["hub", "repo", "--help"]])
def test_groups_within_groups_have_help(words: list[str]) -> None:
    out = good(run(*words))
    assert f"nacre {' '.join(words[:2])}".removesuffix(" --help") in out
    assert "Commands:" in out


def test_an_unknown_command_of_an_inner_group() -> None:
    ended = run("hub", "user", "frobnicate")
    assert refused(ended) == (
        "Error: unknown command: nacre hub user frobnicate (see 'nacre hub user --help')\n"
    )


def test_an_empty_file_of_records_is_no_hub_and_not_made_one(tmp_path: Path) -> None:
    (tmp_path / "hub.db").touch()
    assert "there is no hub in" in refused(run("hub", "user", "ls", f"--data={tmp_path}"))
    assert (tmp_path / "hub.db").stat().st_size == 0


def test_what_is_not_there_is_refused_with_where_to_look(data: Path) -> None:
    for words, where in (
        (("repo", "set", "--sparse", "alice/none"), "nacre hub repo ls"),
        (("retention", "set", "--last", "1", "alice/none"), "nacre hub repo ls"),
        (("tag", "ls", "alice/none"), "nacre hub repo ls"),
        (("tag", "restore", "alice/app:none"), "nacre hub tag history"),
        (("user", "passwd", "nobody"), "nacre hub user ls"),
    ):
        assert where in refused(run("hub", *words, f"--data={data}"))
