"""Pull, push, log in, search and indexes through the real command and Debian's docker-registry."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nacre.testing.builders import a_layer
from tests.conftest import RegistryStarter
from tests.peers.nacre import NacreCli
from tests.peers.registry import DockerRegistry
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer

LAYER = "[0-9a-f]{12}"
DIGEST = "sha256:[0-9a-f]{64}"


@pytest.fixture
def hub(docker_registry: RegistryStarter) -> DockerRegistry:
    """An open registry."""
    return docker_registry()


@pytest.fixture
def cli(nacre_cli: NacreCli, hub: DockerRegistry, a_tar: Path) -> NacreCli:
    """A nacre with ``HOST/team/app:1`` and ``HOST/team/app:latest``, not pushed yet."""
    nacre_cli("import", "-m", "first", a_tar, f"{hub.host}/team/app:1")
    nacre_cli("tag", f"{hub.host}/team/app:1", f"{hub.host}/team/app")
    return nacre_cli


def matches(text: str, *patterns: str) -> bool:
    """Say whether each line matches its pattern."""
    lines = text.splitlines()
    assert len(lines) == len(patterns), text
    return all(re.fullmatch(*pair) for pair in zip(patterns, lines, strict=True))


def test_a_push_tells_what_docker_tells(cli: NacreCli, hub: DockerRegistry) -> None:
    assert matches(
        cli("push", f"{hub.host}/team/app"),
        "Using default tag: latest",
        rf"The push refers to repository \[{hub.host}/team/app\]",
        f"{LAYER}: Preparing",
        f"{LAYER}: Pushing",
        f"{LAYER}: Pushed",
        rf"latest: digest: {DIGEST} size: \d+",
    )
    again = cli("push", f"{hub.host}/team/app:1").splitlines()
    layer = cli("inspect", "-f", "{{slice (index .RootFS.Layers 0) 7 19}}", f"{hub.host}/team/app")
    assert again[-2] == f"{layer.strip()}: Layer already exists"
    assert cli("push", "-q", f"{hub.host}/team/app:1") == f"{hub.host}/team/app:1\n"


def test_a_pull_tells_what_docker_tells(cli: NacreCli, hub: DockerRegistry) -> None:
    cli("push", "-q", f"{hub.host}/team/app")
    cli("rmi", f"{hub.host}/team/app:1", f"{hub.host}/team/app")
    assert matches(
        cli("pull", f"{hub.host}/team/app"),
        "Using default tag: latest",
        "latest: Pulling from team/app",
        f"{LAYER}: Pulling fs layer",
        f"{LAYER}: Download complete",
        f"{LAYER}: Pull complete",
        f"Digest: {DIGEST}",
        f"Status: Downloaded newer image for {hub.host}/team/app:latest",
        f"{hub.host}/team/app:latest",
    )
    again = cli("pull", f"{hub.host}/team/app:latest").splitlines()
    assert again[0] == "latest: Pulling from team/app"
    assert re.fullmatch(f"{LAYER}: Already exists", again[1])
    assert again[-2] == f"Status: Image is up to date for {hub.host}/team/app:latest"
    assert cli("pull", "-q", f"{hub.host}/team/app") == f"{hub.host}/team/app:latest\n"


def test_a_digest_is_pulled_as_docker_does(cli: NacreCli, hub: DockerRegistry) -> None:
    said = cli("push", f"{hub.host}/team/app:1")
    digest = re.findall(DIGEST, said)[0]
    cli("rmi", f"{hub.host}/team/app:1", f"{hub.host}/team/app")
    lines = cli("pull", f"{hub.host}/team/app@{digest}").splitlines()
    assert lines[0] == f"{hub.host}/team/app@{digest}: Pulling from team/app"
    assert lines[-1] == f"{hub.host}/team/app@{digest}"
    shown = cli("images", "--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}")
    assert shown == f"{hub.host}/team/app <none> {digest}\n"
    assert cli("inspect", "-f", "{{index .RepoDigests 0}}", digest) == (
        f"{hub.host}/team/app@{digest}\n"
    )


def test_all_tags_are_pushed_and_pulled(cli: NacreCli, hub: DockerRegistry) -> None:
    said = cli("push", "-a", f"{hub.host}/team/app").splitlines()
    assert [line.split(":")[0] for line in said if "digest:" in line] == ["1", "latest"]
    assert cli("push", "-aq", f"{hub.host}/team/app") == f"{hub.host}/team/app\n"
    cli("rmi", f"{hub.host}/team/app:1", f"{hub.host}/team/app")
    pulled = cli("pull", "-a", f"{hub.host}/team/app").splitlines()
    assert sorted(line for line in pulled if "Pulling from" in line) == [
        "1: Pulling from team/app",
        "latest: Pulling from team/app",
    ]
    assert [line for line in pulled if "Status" in line] == [
        f"Status: Downloaded newer image for {hub.host}/team/app"
    ]
    assert pulled[-1] == f"{hub.host}/team/app"
    assert {f"{hub.host}/team/app:1", f"{hub.host}/team/app:latest"} == set(
        cli("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    )
    assert cli("pull", "-aq", f"{hub.host}/team/app") == f"{hub.host}/team/app\n"
    assert "does not exist locally" in cli.refused("push", "-a", f"{hub.host}/no/such")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["pull", "{repo}:nope"], "not found"),
        (["pull", "--platform", "!", "{repo}:1"], "!"),
        (["pull", "--platform", "linux/riscv64", "{repo}:1"], "does not match"),
        (["pull", "scratch"], "'scratch' is a reserved name"),
        (["push", f"{{repo}}@sha256:{'0' * 64}"], "cannot push a digest reference"),
        (["push", f"{{repo}}:1@sha256:{'0' * 64}"], "cannot push a digest reference"),
        (["pull", "--disable-content-trust=false", "{repo}:1"], "there is no content trust here"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_what_cannot_be_begun_is_not_told_to_begin(
    cli: NacreCli, hub: DockerRegistry, words: list[str], problem: str
) -> None:
    cli("push", "-q", f"{hub.host}/team/app:1")
    done = cli.run(*(word.format(repo=f"{hub.host}/team/app") for word in words))
    assert done.returncode
    assert done.stdout == ""
    assert problem in done.stderr


def test_scripts_may_say_that_they_want_no_content_trust(
    cli: NacreCli, hub: DockerRegistry
) -> None:
    name = f"{hub.host}/team/app:1"
    assert cli("push", "-q", "--disable-content-trust", name) == f"{name}\n"
    assert cli("pull", "-q", "--disable-content-trust=true", name) == f"{name}\n"


def test_progress_can_be_had_as_json(cli: NacreCli, hub: DockerRegistry) -> None:
    said = cli("push", "--progress=json", f"{hub.host}/team/app:1")
    pushed = [json.loads(line) for line in said.splitlines()]
    assert pushed[0] == {"status": f"The push refers to repository [{hub.host}/team/app]"}
    assert {"status": "Pushed", "id": pushed[1]["id"], "progressDetail": {}} in pushed
    cli("rmi", f"{hub.host}/team/app:1", f"{hub.host}/team/app")
    said = cli("pull", "--progress", "json", f"{hub.host}/team/app:1")
    pulled = [json.loads(line) for line in said.splitlines()]
    moving = [line["progressDetail"] for line in pulled if line.get("progressDetail")]
    assert moving
    assert all(0 < each["current"] <= each["total"] for each in moving)
    assert pulled[-1] == {"status": f"{hub.host}/team/app:1"}


def test_bars_can_be_had_without_a_terminal_and_lines_on_one(
    cli: NacreCli, hub: DockerRegistry
) -> None:
    first, bar, last = cli("push", "--progress", "bars", f"{hub.host}/team/app:1").splitlines()
    assert first.startswith("The push refers to repository")
    assert re.match(f"{LAYER}: Pushed ━━━", bar)
    assert last.startswith("1: digest: ")
    with cli.at_terminal("push", "--progress", "plain", f"{hub.host}/team/app:1") as terminal:
        assert terminal.end() == 0
    assert "\x1b" not in terminal.shown


def test_login_and_logout_say_what_docker_says(
    nacre_cli: NacreCli, docker_registry: RegistryStarter
) -> None:
    host = docker_registry(user="ana", password="pearl").host
    done = nacre_cli.run("login", "-u", "ana", "--password-stdin", host, stdin="pearl\n")
    assert (done.returncode, done.stdout) == (0, "Login Succeeded\n")
    file = nacre_cli.docker_config / "config.json"
    assert f"WARNING! Your credentials are stored unencrypted in '{file}'." in done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert nacre_cli("logout", f"http://{host}/v2/") == f"Removing login credentials for {host}\n"
    assert nacre_cli("logout", host) == f"Not logged in to {host}\n"
    assert nacre_cli("logout") == "Not logged in to https://index.docker.io/v1/\n"


def test_a_wrong_password_is_refused_and_not_kept(
    nacre_cli: NacreCli, docker_registry: RegistryStarter
) -> None:
    host = docker_registry(user="ana", password="pearl").host
    done = nacre_cli.run("login", "-u", "ana", "-p", "wrong", host)
    assert (done.returncode, done.stdout) == (1, "")
    warning, error = done.stderr.splitlines()
    assert warning == ("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    assert error.startswith("Error: ")
    assert error.endswith(" (check user name and password)")
    assert "wrong" not in error.replace("wrong password", "")
    assert not (nacre_cli.docker_config / "config.json").exists()


@pytest.mark.parametrize(
    ("words", "stdin", "problem"),
    [
        (["login"], "", "cannot perform an interactive login from a non TTY device"),
        (["login", "-u", "ana"], "x", "cannot perform an interactive login from a non TTY device"),
        (["login", "--password-stdin"], "x", "requires --username to be set"),
        (["login", "-u", "ana", "--password-stdin"], "\n", "password is empty"),
        (["login", "-u", "ana", "--password-stdin"], "x" * (1 << 21), "more than 1048576 bytes"),
        (["login", "-u", "ana", "-p", "x", "not a host"], "", "is not a registry"),
    ],
)
def test_a_login_that_lacks_something_is_refused(
    nacre_cli: NacreCli, words: list[str], stdin: str, problem: str
) -> None:
    said = nacre_cli.refused(*words, stdin=stdin)
    assert problem in said.splitlines()[-1]


def test_a_registry_without_search_is_told(nacre_cli: NacreCli, hub: DockerRegistry) -> None:
    said = nacre_cli.refused("search", f"{hub.host}/app")
    assert said.startswith("Error: ")
    assert said.count("\n") == 1


def test_an_index_is_made_shown_and_pushed(
    cli: NacreCli, hub: DockerRegistry, tmp_path: Path
) -> None:
    other = tmp_path / "other.tar"
    other.write_bytes(a_layer({"other": b"x"}))
    cli("import", "--platform", "linux/riscv64", other, f"{hub.host}/team/app:riscv")
    index = f"{hub.host}/team/app:multi"
    members = [f"{hub.host}/team/app:1", f"{hub.host}/team/app:riscv"]
    assert cli("manifest", "create", index, *members) == f"Created manifest list {index}\n"
    assert "refusing to amend" in cli.refused("manifest", "create", index, *members)
    cli("manifest", "create", "--amend", index, *members)
    shown = cli("manifest", "inspect", index)
    assert shown.startswith('{\n\t"schemaVersion": 2,\n')
    assert len(json.loads(shown)["manifests"]) == 2
    pushed = cli("manifest", "push", "-q", index).strip()
    raw = cli("manifest", "inspect", "--raw", f"{hub.host}/team/app@{pushed}")
    assert json.loads(raw)["manifests"][1]["platform"]["architecture"] == "riscv64"
    said = cli("manifest", "push", "--purge", index, f"{hub.host}/other/app:multi").splitlines()
    assert re.fullmatch(DIGEST, said[-1])
    assert "No such image" in cli.refused("history", index)
    remote = cli("manifest", "inspect", f"{hub.host}/other/app:multi")
    assert len(json.loads(remote)["manifests"]) == 2


def test_what_is_no_platform_is_told(cli: NacreCli, hub: DockerRegistry) -> None:
    cli("push", "-q", f"{hub.host}/team/app:1")
    assert "!" in cli.refused("pull", "--platform", "!", f"{hub.host}/team/app:1")


def test_a_root_file_system_is_imported_from_an_address(
    nacre_cli: NacreCli, server: RegistryServer, a_tar: Path
) -> None:
    server.fail("GET", "/rootfs.tar", Answer(200, body=a_tar.read_bytes()))
    said = nacre_cli("import", "-c", "CMD sh", f"{server.url}/rootfs.tar", "demo:1")
    assert said == nacre_cli("images", "-q", "--no-trunc")
    assert nacre_cli("history", "--format", "{{.Comment}}", "demo:1") == (
        f"Imported from {server.url}/rootfs.tar\n"
    )
    refused = nacre_cli.refused("import", f"{server.url}/none.tar")
    assert refused.startswith(f"Error: cannot download {server.url}/none.tar: not found at")
    assert refused.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["pull", "{name}"],
        ["save", "-o", "{tar}", "{name}"],
        ["push", "{name}"],
        ["inspect", "{name}"],
        ["image", "inspect", "{name}"],
        ["history", "{name}"],
        ["image", "copy", "{name}", "oci:{tar}:1"],
        ["image", "copy", "docker://{name}", "oci:{tar}:1"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_an_image_for_another_platform_than_named_is_refused(
    nacre_cli: NacreCli, hub: DockerRegistry, a_tar: Path, tmp_path: Path, words: list[str]
) -> None:
    name, tar = f"{hub.host}/team/app:1", tmp_path / "out"
    nacre_cli("import", "--platform", "linux/s390x", a_tar, name)
    nacre_cli("push", "-q", name)
    if words[0] == "pull":
        nacre_cli("rmi", name)
    filled = [word.format(name=name, tar=tar) for word in words]
    said = nacre_cli.refused(*filled[:-1], "--platform", "linux/riscv64", filled[-1])
    assert "was found but does not match the specified platform: " in said
    assert "wanted linux/riscv64, actual: linux/s390x" in said
    assert said.splitlines()[-1].count("Error: ") == 1
    assert not tar.is_file()
    assert (nacre_cli("images", "-q") == "") == (words[0] == "pull")
    if words[0] != "pull":
        nacre_cli(*filled[:-1], "--platform", "linux/s390x", filled[-1])


def test_a_copy_that_fails_says_on_which_side(
    nacre_cli: NacreCli, hub: DockerRegistry, a_tar: Path, tmp_path: Path
) -> None:
    nacre_cli("import", a_tar, "demo:1")
    said = nacre_cli.refused("image", "copy", f"docker://{hub.host}/none:1", "copy:1")
    assert re.search(r"^Error: .* not found.*, while reading from the source \(", said)
    assert said.count("\n") == 1
    hub_that_refuses = "docker://127.0.0.1:1/app:1"
    said = nacre_cli.refused("image", "copy", "--progress", "quiet", "demo:1", hub_that_refuses)
    assert re.search(r"^Error: .*refused, while writing to the destination \(", said)
