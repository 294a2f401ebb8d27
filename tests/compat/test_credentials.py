"""Credentials: who logs in by one tool is logged in for the others, and out again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import GZIP
from tests.conftest import RegistryStarter
from tests.peers.nacre import NacreCli
from tests.peers.registry import DockerRegistry
from tests.peers.tools import Tool

USER, PASSWORD = "ana", "mother of pearl: ñ"

# A credential helper that keeps what it is told in a file, as the protocol says.
HELPER = """\
#!/bin/sh
kept="$HOME/kept"
mkdir -p "$kept"
if [ "$1" = list ]; then echo '{}'; exit; fi
input=$(cat)
case "$1" in
store) server=$(printf %s "$input" | sed 's/.*"ServerURL":[ ]*"\\([^"]*\\)".*/\\1/') ;;
*) server=$input ;;
esac
file="$kept/$(printf %s "$server" | tr /: __)"
case "$1" in
store) printf %s "$input" >"$file" ;;
get) cat "$file" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
erase) rm -f "$file" ;;
esac
"""


@pytest.fixture
def registry(docker_registry: RegistryStarter) -> DockerRegistry:
    return docker_registry(user=USER, password=PASSWORD)


@pytest.fixture
def name(registry: DockerRegistry, nacre_cli: NacreCli, tmp_path: Path) -> str:
    """An image of the local store, named after the registry that wants a password."""
    found = f"{registry.host}/team/hello:1"
    copy(Shelf(GZIP), "", LayoutStore(tmp_path / "layout"), "it")
    nacre_cli("image", "copy", f"oci:{tmp_path / 'layout'}:it", found)
    return found


@pytest.fixture
def other(request: pytest.FixtureRequest, nacre_cli: NacreCli) -> Tool:
    """The tool that a test is parametrized by, run by the person who runs nacre."""
    tool: Tool = request.getfixturevalue(request.param)
    return tool.within(nacre_cli.env)


OTHERS = pytest.mark.parametrize(
    "other",
    ["skopeo", "podman", "buildah", pytest.param("docker", marks=pytest.mark.root)],
    indirect=True,
)


def log_in(tool: Tool | NacreCli, host: str, *options: str) -> str:
    argv = ("login", *options, "--username", USER, "--password-stdin", host)
    return tool(*argv, stdin=PASSWORD)


def plain(tool: Tool) -> list[str]:
    """Docker takes plain http from loopback as it is, the others have to be told."""
    return [] if "docker" in tool.argv[0] else ["--tls-verify=false"]


def reaches(tool: Tool, name: str) -> bool:
    """Say whether a tool may read an image of the registry."""
    words = ["inspect", f"docker://{name}"] if "skopeo" in tool.argv[0] else ["pull", name]
    done = tool.attempt(words[0], *plain(tool), words[1])
    assert done.returncode == 0 or "auth" in done.stderr, done.stderr
    return done.returncode == 0


def helper(nacre: NacreCli, settings: dict[str, object]) -> Path:
    """Put ``docker-credential-test`` on the path and settings into config.json.

    Returns:
        the folder where the helper keeps what it is told.
    """
    programs = nacre.home / "bin"
    programs.mkdir()
    (programs / "docker-credential-test").write_text(HELPER)
    (programs / "docker-credential-test").chmod(0o755)
    nacre.env["PATH"] = f"{programs}:{nacre.env['PATH']}"
    nacre.docker_config.mkdir(exist_ok=True)
    (nacre.docker_config / "config.json").write_text(json.dumps(settings))
    return nacre.home / "kept"


@OTHERS
class TestAfterLoginByNacre:
    def test_the_other_is_logged_in(self, nacre_cli: NacreCli, name: str, other: Tool) -> None:
        assert log_in(nacre_cli, name.partition("/")[0]).endswith("Login Succeeded\n")
        nacre_cli("push", name)
        assert reaches(other, name)

    def test_it_is_logged_out_again(self, nacre_cli: NacreCli, name: str, other: Tool) -> None:
        host = name.partition("/")[0]
        log_in(nacre_cli, host)
        nacre_cli("push", name)
        assert nacre_cli("logout", host) == f"Removing login credentials for {host}\n"
        assert not reaches(other, name)

    def test_a_wrong_password_is_kept_by_neither(
        self, nacre_cli: NacreCli, name: str, other: Tool
    ) -> None:
        host = name.partition("/")[0]
        argv = ("login", "--username", USER, "--password-stdin", host)
        assert nacre_cli.run(*argv, stdin="wrong").returncode == 1
        assert other.attempt(*argv[:1], *plain(other), *argv[1:], stdin="wrong").returncode != 0
        assert not [path for path in nacre_cli.home.rglob("*.json") if host in path.read_text()]


@OTHERS
class TestAfterLoginByTheOther:
    def test_nacre_is_logged_in(self, nacre_cli: NacreCli, name: str, other: Tool) -> None:
        nacre_cli.refused("push", name)
        log_in(other, name.partition("/")[0], *plain(other))
        nacre_cli("push", name)

    def test_it_is_logged_out_again(self, nacre_cli: NacreCli, name: str, other: Tool) -> None:
        host = name.partition("/")[0]
        log_in(other, host, *plain(other))
        other("logout", host)
        assert "login" in nacre_cli.refused("push", name)

    def test_nacre_can_log_out_for_it(self, nacre_cli: NacreCli, name: str, other: Tool) -> None:
        host = name.partition("/")[0]
        log_in(other, host, *plain(other))
        nacre_cli("push", name)
        nacre_cli("logout", host)
        assert not reaches(other, name)


@pytest.mark.parametrize("other", ["skopeo", "podman"], indirect=True)
def test_both_use_the_file_that_a_variable_names(
    nacre_cli: NacreCli, name: str, other: Tool, tmp_path: Path
) -> None:
    host, file = name.partition("/")[0], tmp_path / "elsewhere.json"
    nacre_cli.env["REGISTRY_AUTH_FILE"] = str(file)
    other = other.within({"REGISTRY_AUTH_FILE": str(file)})
    log_in(other, host, *plain(other))
    nacre_cli("push", name)
    nacre_cli("logout", host)
    assert not reaches(other, name)
    log_in(nacre_cli, host)
    assert reaches(other, name)
    assert [*json.loads(file.read_text())["auths"]] == [host]


@pytest.mark.parametrize("other", ["podman"], indirect=True)
def test_a_login_to_a_namespace_counts_there_only(
    nacre_cli: NacreCli, name: str, other: Tool, tmp_path: Path
) -> None:
    # Newer ones refuse to write a namespace to a file that Docker reads too.
    nacre_cli.env["REGISTRY_AUTH_FILE"] = str(tmp_path / "auth.json")
    other = other.within(nacre_cli.env)
    log_in(other, name.rpartition("/")[0], *plain(other))
    nacre_cli("push", name)
    elsewhere = f"{name.partition('/')[0]}/other/hello:1"
    nacre_cli("tag", name, elsewhere)
    nacre_cli.refused("push", elsewhere)


class TestHelper:
    @OTHERS
    def test_has_what_nacre_stored(self, nacre_cli: NacreCli, name: str, other: Tool) -> None:
        host = name.partition("/")[0]
        kept = helper(nacre_cli, {"credHelpers": {host: "test"}})
        log_in(nacre_cli, host)
        [secret] = kept.iterdir()
        assert json.loads(secret.read_text())["Secret"] == PASSWORD
        assert '"auth"' not in (nacre_cli.docker_config / "config.json").read_text()
        nacre_cli("push", name)
        assert reaches(other.within(nacre_cli.env), name)

    @pytest.mark.parametrize("setting", ["credsStore", "credHelpers"])
    def test_has_what_docker_stored(
        self, nacre_cli: NacreCli, name: str, docker: Tool, setting: str
    ) -> None:
        host = name.partition("/")[0]
        kept = helper(nacre_cli, {setting: "test" if setting == "credsStore" else {host: "test"}})
        docker = docker.within(nacre_cli.env)
        log_in(docker, host)
        assert [*kept.iterdir()]
        nacre_cli("push", name)
        nacre_cli("logout", host)
        assert not [*kept.iterdir()]
        assert not reaches(docker, name)

    @pytest.mark.parametrize("other", ["podman"], indirect=True)
    def test_that_podmans_file_names_is_asked(
        self, nacre_cli: NacreCli, name: str, other: Tool, tmp_path: Path
    ) -> None:
        host, file = name.partition("/")[0], tmp_path / "auth.json"
        kept = helper(nacre_cli, {})
        file.write_text(json.dumps({"credHelpers": {host: "test"}}))
        nacre_cli.env["REGISTRY_AUTH_FILE"] = str(file)
        log_in(other.within(nacre_cli.env), host, *plain(other))
        assert [*kept.iterdir()]
        nacre_cli("push", name)
