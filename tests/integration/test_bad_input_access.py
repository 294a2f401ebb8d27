"""What a registry does not have or does not give: one line, and nothing kept."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from nacre.testing.builders import an_image, an_index
from tests.integration.unharmed import SOUND, Unharmed
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer, registry_server
from tests.servers.registry_values import Answer, Options

SECRET = "correct horse"


def log_in(unharmed: Unharmed, host: str, password: str) -> None:
    """Put credentials where ``nacre login`` keeps them, right or wrong."""
    auth = base64.b64encode(f"ana:{password}".encode()).decode()
    unharmed.cli.docker_config.mkdir(parents=True, exist_ok=True)
    file = unharmed.cli.docker_config / "config.json"
    file.write_text(json.dumps({"auths": {host: {"auth": auth}}}))


# What is not there.


def test_unknown_tag_is_named(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "team/app", "1", an_image())
    saying = f"manifest for {server.host}/team/app:2 not found"
    unharmed.refuses("pull", f"{server.host}/team/app:2", saying=saying)


def test_unknown_repository_is_named(unharmed: Unharmed, server: RegistryServer) -> None:
    saying = f"{server.host}/no/such:1"
    unharmed.refuses("pull", f"{server.host}/no/such:1", saying=saying)


def test_unknown_digest_is_named(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "team/app", "1", an_image())
    digest = f"sha256:{'0' * 64}"
    unharmed.refuses("pull", f"{server.host}/team/app@{digest}", saying=digest)


def test_all_tags_of_an_unknown_repository(unharmed: Unharmed, server: RegistryServer) -> None:
    unharmed.refuses("pull", "-a", f"{server.host}/no/such", saying="no/such")


def test_unknown_local_image_is_not_pushed(unharmed: Unharmed, server: RegistryServer) -> None:
    unharmed.refuses("push", f"{server.host}/team/app:9", saying="No such image")
    assert not server.seen()


@pytest.mark.parametrize("command", ["history", "inspect", "rmi"])
def test_unknown_local_image_is_named(command: str, unharmed: Unharmed) -> None:
    said = unharmed.cli.refused(command, "nobody:knows")
    assert "nobody:knows" in said
    unharmed.check()


def test_missing_platform_says_what_there_is(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "team/app", "1", an_index([an_image()]))
    line = unharmed.refuses(
        "pull", "--platform", "linux/s390x", f"{server.host}/team/app:1", saying="linux/s390x"
    )
    assert "linux/amd64" in line


# Who may not have it.


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_wrong_password_is_refused(auth: str, unharmed: Unharmed) -> None:
    options = Options(users={"ana": SECRET}, anonymous_pull=False)
    options.auth = "basic" if auth == "basic" else "token"
    with registry_server(options) as server:
        publish(server, "team/app", "1", an_image())
        log_in(unharmed, server.host, "wrong")
        line = unharmed.refuses("pull", f"{server.host}/team/app:1", saying=server.host)
        assert f"nacre login {server.host}" in line
        assert "wrong" not in line


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_push_with_a_wrong_password_is_refused(auth: str, unharmed: Unharmed) -> None:
    options = Options(users={"ana": SECRET}, anonymous_pull=True)
    options.auth = "basic" if auth == "basic" else "token"
    with registry_server(options) as server:
        name = f"{server.host}/team/app:1"
        unharmed.cli("tag", SOUND, name)
        before = unharmed.state()
        log_in(unharmed, server.host, "wrong")
        line = unharmed.cli.refused("push", name)
        assert f"nacre login {server.host}" in line
        assert unharmed.state() == before
        assert not server.blobs
        assert not server.manifests


def test_no_password_is_refused(unharmed: Unharmed) -> None:
    with registry_server(Options(auth="basic", users={"ana": SECRET})) as server:
        publish(server, "team/app", "1", an_image())
        unharmed.refuses("pull", f"{server.host}/team/app:1", saying="nacre login")


def test_login_with_a_wrong_password_keeps_nothing(unharmed: Unharmed) -> None:
    with registry_server(Options(auth="basic", users={"ana": SECRET})) as server:
        unharmed.refuses(
            "login", "-u", "ana", "--password-stdin", server.host, stdin="wrong", saying="login"
        )
    assert not (unharmed.cli.docker_config / "config.json").exists()


# Tokens that expire.


def test_expired_token_is_renewed_once_without_a_word(unharmed: Unharmed) -> None:
    options = Options(auth="token", users={"ana": SECRET}, anonymous_pull=False)
    with registry_server(options) as server:
        publish(server, "team/app", "1", an_image())
        log_in(unharmed, server.host, SECRET)
        # The first token is forgotten before it is used for a blob: to the client, it expired.
        challenge = f'Bearer realm="{server.url}/token",service="test"'
        server.fail("GET", "/blobs/", Answer(401, {"WWW-Authenticate": challenge}))
        said = unharmed.cli.run("pull", f"{server.host}/team/app:1")
        assert said.returncode == 0, said
        assert not said.stderr
        assert len(server.seen("GET", "/token")) == 2


def test_token_that_is_never_accepted_ends_in_an_error(unharmed: Unharmed) -> None:
    options = Options(auth="token", users={"ana": SECRET}, anonymous_pull=False)
    with registry_server(options) as server:
        publish(server, "team/app", "1", an_image())
        log_in(unharmed, server.host, SECRET)
        challenge = f'Bearer realm="{server.url}/token",service="test"'
        server.fail("GET", "/blobs/", Answer(401, {"WWW-Authenticate": challenge}), times=100)
        unharmed.refuses("pull", f"{server.host}/team/app:1", saying="access denied")
        assert len(server.seen("GET", "/token")) < 8


def test_authorization_service_that_fails_is_named(unharmed: Unharmed) -> None:
    with registry_server(Options(auth="token", users={"ana": SECRET})) as server:
        publish(server, "team/app", "1", an_image())
        server.fail("GET", "/token", Answer(500), times=100)
        unharmed.refuses("pull", f"{server.host}/team/app:1", saying=server.host)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"token": 7}', b"\xff", b'{"token":"a\\nb"}']
)
def test_authorization_service_without_a_token(body: bytes, unharmed: Unharmed) -> None:
    with registry_server(Options(auth="token", users={"ana": SECRET})) as server:
        publish(server, "team/app", "1", an_image())
        server.fail("GET", "/token", Answer(200, {}, body), times=100)
        unharmed.refuses("pull", f"{server.host}/team/app:1", saying="sent no token")


# Files of credentials.

BROKEN_FILES = {
    "not_json": '{"auths": ',
    "a_list": "[]",
    "auths_a_list": '{"auths": [1]}',
    "auth_not_base64": '{"auths": {"HOST": {"auth": "%%%"}}}',
    "auth_without_colon": '{"auths": {"HOST": {"auth": "YW5h"}}}',
    "entry_a_text": '{"auths": {"HOST": "ana"}}',
    "helpers_a_list": '{"credHelpers": [1]}',
    "helper_that_is_a_path": '{"credsStore": "../../bin/sh"}',
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_broken_file_of_credentials_is_named(name: str, unharmed: Unharmed) -> None:
    with registry_server(Options(auth="basic", users={"ana": SECRET})) as server:
        publish(server, "team/app", "1", an_image())
        text = BROKEN_FILES[name].replace("HOST", server.host)
        unharmed.cli.docker_config.mkdir(parents=True)
        file = unharmed.cli.docker_config / "config.json"
        file.write_text(text)
        saying = "credential helper" if name.startswith("helper_that") else str(file)
        unharmed.refuses("pull", f"{server.host}/team/app:1", saying=saying)
        assert file.read_text() == text


def test_login_leaves_a_broken_file_of_credentials_alone(unharmed: Unharmed) -> None:
    with registry_server(Options(auth="basic", users={"ana": SECRET})) as server:
        unharmed.cli.docker_config.mkdir(parents=True)
        file = unharmed.cli.docker_config / "config.json"
        file.write_text("{")
        arguments = ("login", "-u", "ana", "--password-stdin", server.host)
        unharmed.refuses(*arguments, stdin=SECRET, saying="not valid JSON")
        assert file.read_text() == "{"


def test_file_of_credentials_that_is_a_folder(unharmed: Unharmed, server: RegistryServer) -> None:
    server.options.auth = "basic"
    (unharmed.cli.docker_config / "config.json").mkdir(parents=True)
    unharmed.refuses("pull", f"{server.host}/team/app:1", saying="cannot read .*config.json")


def test_logout_leaves_a_broken_file_of_credentials_alone(unharmed: Unharmed) -> None:
    unharmed.cli.docker_config.mkdir(parents=True)
    file = unharmed.cli.docker_config / "config.json"
    file.write_text("{")
    unharmed.refuses("logout", "127.0.0.1:5000", saying="not valid JSON")
    assert file.read_text() == "{"


def test_logout_of_nobody_is_no_error(unharmed: Unharmed) -> None:
    assert "Not logged in" in unharmed.cli("logout", "127.0.0.1:5000")
    unharmed.check()


@pytest.mark.parametrize("server_name", ["a b", "host:port", "../x", "my_host"])
def test_login_to_what_is_no_registry(server_name: str, unharmed: Unharmed) -> None:
    unharmed.refuses(
        "login", "-u", "ana", "--password-stdin", server_name, stdin="x", saying="not a registry"
    )


def test_login_without_a_password(unharmed: Unharmed, server: RegistryServer) -> None:
    arguments = ("login", "-u", "ana", "--password-stdin", server.host)
    unharmed.refuses(*arguments, stdin="", saying="password")


# Credential helpers.


def helper(unharmed: Unharmed, script: str) -> Path:
    """Install a helper of the name ``test`` and configure it."""
    folder = unharmed.cli.home / "bin"
    folder.mkdir()
    program = folder / "docker-credential-test"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    unharmed.cli.env["PATH"] = f"{folder}:{unharmed.cli.env['PATH']}"
    unharmed.cli.docker_config.mkdir(parents=True)
    (unharmed.cli.docker_config / "config.json").write_text('{"credsStore": "test"}')
    return program


@pytest.mark.parametrize(
    ("script", "saying"),
    [
        ("echo vault sealed >&2; exit 1", "vault sealed"),
        ("cat >/dev/null; echo rubbish", "docker-credential-test gave an answer"),
        ("cat >/dev/null; echo '{\"Username\": 7}'", "docker-credential-test gave an answer"),
        ("kill -9 $$", "docker-credential-test could not get"),
    ],
)
def test_failing_credential_helper_is_named(script: str, saying: str, unharmed: Unharmed) -> None:
    with registry_server(Options(auth="basic", users={"ana": SECRET})) as server:
        helper(unharmed, script)
        unharmed.refuses("pull", f"{server.host}/team/app:1", saying=saying)


def test_missing_credential_helper_is_named(unharmed: Unharmed) -> None:
    with registry_server(Options(auth="basic", users={"ana": SECRET})) as server:
        helper(unharmed, "").unlink()
        saying = "docker-credential-test is not installed"
        unharmed.refuses("pull", f"{server.host}/team/app:1", saying=saying)


def test_credential_helper_that_cannot_be_run(unharmed: Unharmed) -> None:
    with registry_server(Options(auth="basic", users={"ana": SECRET})) as server:
        program = helper(unharmed, "")
        program.write_bytes(b"\x7fELF rubbish")
        saying = "cannot run docker-credential-test"
        unharmed.refuses("pull", f"{server.host}/team/app:1", saying=saying)
