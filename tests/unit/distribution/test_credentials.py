"""Each place where credentials are kept, and what is written there."""

from __future__ import annotations

import base64
import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from nacre.distribution.authfile import AuthFile, InvalidAuthFile
from nacre.distribution.credential import Credential
from nacre.distribution.credentials import HUB_KEY, CredentialStore
from nacre.distribution.helpers import Helper
from nacre.distribution.settings import CredentialLocations
from nacre.errors import Unavailable

ANN = Credential("ann", "secret")


def auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


class FakeHelpers:
    """Helpers that keep their secrets in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Credential] = {}

    def __call__(self, name: str) -> Helper:
        kept = self.kept

        class InMemory(Helper):
            def get(self, server: str) -> Credential | None:
                return kept.get((name, server))

            def store(self, server: str, credential: Credential) -> None:
                kept[name, server] = credential

            def erase(self, server: str) -> None:
                kept.pop((name, server), None)

        return InMemory(name)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def helpers() -> FakeHelpers:
    return FakeHelpers()


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def store(home: Path, helpers: FakeHelpers | None = None, **environment: str) -> CredentialStore:
    locations = CredentialLocations.from_environment({"HOME": str(home), **environment})
    return CredentialStore(locations, new_helper=helpers or FakeHelpers())


def docker(home: Path, value: Any) -> Path:
    return write(home / ".docker/config.json", value)


# -- reading --------------------------------------------------------------------------------------


def test_nothing_is_kept_anywhere(home: Path) -> None:
    assert store(home).find("reg.example") is None


def test_auths_of_dockers_file(home: Path) -> None:
    docker(home, {"auths": {"reg.example:5000": auth("ann:se:cret")}})
    assert store(home).find("reg.example:5000", "a/b") == Credential("ann", "se:cret")
    assert store(home).find("reg.example") is None


def test_identity_and_registry_tokens(home: Path) -> None:
    docker(
        home,
        {
            "auths": {
                "a.example": {**auth("ann:"), "identitytoken": "idt"},
                "b.example": {"registrytoken": "regt"},
                "c.example": {"username": "ann", "password": "secret"},
            }
        },
    )
    assert store(home).find("a.example") == Credential("ann", "", "idt")
    assert store(home).find("b.example") == Credential(registry_token="regt")
    assert store(home).find("c.example") == ANN


@pytest.mark.parametrize(
    "key", ["reg.example", "https://reg.example", "http://reg.example", "https://reg.example/v2/"]
)
def test_keys_of_old_forms_count_as_their_host(home: Path, key: str) -> None:
    docker(home, {"auths": {key: auth("ann:secret")}})
    assert store(home).find("reg.example") == ANN


@pytest.mark.parametrize("key", [HUB_KEY, "docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_has_many_names(home: Path, key: str) -> None:
    docker(home, {"auths": {key: auth("ann:secret")}})
    assert store(home).find("docker.io", "library/nginx") == ANN


def test_docker_config_names_the_folder(home: Path) -> None:
    write(home / "other/config.json", {"auths": {"reg.example": auth("ann:secret")}})
    assert store(home, DOCKER_CONFIG=str(home / "other")).find("reg.example") == ANN


def test_docker_auth_config_counts_before_files(home: Path) -> None:
    docker(home, {"auths": {"reg.example": auth("bob:x")}})
    inline = json.dumps({"auths": {"reg.example": auth("ann:secret")}})
    assert store(home, DOCKER_AUTH_CONFIG=inline).find("reg.example") == ANN


def test_registry_auth_file_counts_before_dockers(home: Path) -> None:
    docker(home, {"auths": {"reg.example": auth("bob:x")}})
    path = write(home / "auth.json", {"auths": {"reg.example": auth("ann:secret")}})
    assert store(home, REGISTRY_AUTH_FILE=str(path)).find("reg.example") == ANN


def test_podmans_runtime_file(home: Path) -> None:
    write(home / "run/containers/auth.json", {"auths": {"reg.example": auth("ann:secret")}})
    assert store(home, XDG_RUNTIME_DIR=str(home / "run")).find("reg.example") == ANN


def test_podmans_config_file(home: Path) -> None:
    write(home / "xdg/containers/auth.json", {"auths": {"reg.example": auth("ann:secret")}})
    assert store(home, XDG_CONFIG_HOME=str(home / "xdg")).find("reg.example") == ANN
    write(home / ".config/containers/auth.json", {"auths": {"reg.example": auth("bob:x")}})
    assert store(home).find("reg.example") == Credential("bob", "x")


def test_the_most_specific_namespace_wins(home: Path) -> None:
    write(
        home / ".config/containers/auth.json",
        {
            "auths": {
                "reg.example": auth("host:x"),
                "reg.example/team": auth("team:x"),
                "reg.example/team/app": auth("app:x"),
            }
        },
    )
    users = {
        path: found.username
        for path in ("team/app", "team/app/sub", "team/other", "teammates/app", "")
        if (found := store(home).find("reg.example", path))
    }
    assert users == {
        "team/app": "app",
        "team/app/sub": "app",
        "team/other": "team",
        "teammates/app": "host",
        "": "host",
    }


def test_the_store_of_all_credentials(home: Path, helpers: FakeHelpers) -> None:
    docker(home, {"credsStore": "vault"})
    helpers.kept["vault", "reg.example"] = ANN
    assert store(home, helpers).find("reg.example") == ANN


def test_a_helper_for_one_registry(home: Path, helpers: FakeHelpers) -> None:
    docker(home, {"credsStore": "vault", "credHelpers": {"reg.example": "cloud"}})
    helpers.kept["cloud", "reg.example"] = ANN
    helpers.kept["vault", "reg.example"] = Credential("bob", "x")
    assert store(home, helpers).find("reg.example") == ANN


def test_docker_hub_in_a_helper(home: Path, helpers: FakeHelpers) -> None:
    docker(home, {"credsStore": "vault"})
    helpers.kept["vault", HUB_KEY] = ANN
    assert store(home, helpers).find("docker.io") == ANN


def test_a_helper_that_knows_nothing_leaves_it_to_the_file(
    home: Path, helpers: FakeHelpers
) -> None:
    docker(home, {"credsStore": "vault", "auths": {"reg.example": auth("ann:secret")}})
    assert store(home, helpers).find("reg.example") == ANN


def test_an_entry_that_marks_a_helper_is_no_credential(home: Path) -> None:
    docker(home, {"auths": {"reg.example": {}}})
    assert store(home).find("reg.example") is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is not valid JSON"),
        ("[]", "is not a JSON object"),
        ({"auths": []}, "has auths that is not an object"),
        ({"auths": {"reg.example": 5}}, "has an entry 'reg.example' that is not an object"),
        ({"auths": {"reg.example": {"registrytoken": "a\r\nb: c"}}}, "whose registrytoken is no"),
        ({"auths": {"reg.example": {"password": "\ud800"}}}, "whose words are no text"),
        ({"auths": {"reg.example": {"username": {"a": 1}}}}, "whose words are no text"),
        ({"auths": {"reg.example": {"identitytoken": ["secret"]}}}, "whose words are no text"),
        ({"auths": {"reg.example": {"auth": "%%"}}}, "whose auth cannot be decoded"),
        ({"auths": {"reg.example": auth("nocolon")}}, "whose auth cannot be decoded"),
    ],
)
def test_a_broken_file_is_named(home: Path, content: Any, why: str) -> None:
    if content == {"auths": []}:
        content = {"auths": ["x"]}
    path = docker(home, content)
    with pytest.raises(InvalidAuthFile, match=why) as caught:
        store(home).find("reg.example")
    assert str(path) in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(home: Path) -> None:
    (home / ".docker/config.json").mkdir(parents=True)
    with pytest.raises(Unavailable, match="cannot read .*config.json"):
        store(home).find("reg.example")


def test_a_pipe_is_not_waited_for(home: Path) -> None:
    (home / ".docker").mkdir()
    os.mkfifo(home / ".docker/config.json")
    with pytest.raises(InvalidAuthFile, match="is not a file"):
        store(home).find("reg.example")


@pytest.mark.parametrize("size", [4 * 1024 * 1024 + 1, 1 << 40])
def test_an_absurdly_large_file_is_not_read(home: Path, size: int) -> None:
    path = docker(home, "")
    os.truncate(path, size)
    with pytest.raises(InvalidAuthFile, match="is larger than 4194304 bytes"):
        store(home).find("reg.example")


def test_an_endless_device_is_not_read_to_its_end(home: Path) -> None:
    with pytest.raises(InvalidAuthFile, match="is larger than"):
        store(home, REGISTRY_AUTH_FILE="/dev/zero").find("reg.example")


def test_the_null_device_is_an_empty_file(home: Path) -> None:
    assert store(home, REGISTRY_AUTH_FILE="/dev/null").find("reg.example") is None


# -- writing --------------------------------------------------------------------------------------


def test_a_login_is_kept_as_docker_keeps_it(home: Path) -> None:
    saved = store(home).save("reg.example", ANN)
    path = home / ".docker/config.json"
    assert json.loads(path.read_text()) == {"auths": {"reg.example": auth("ann:secret")}}
    assert (saved.where, saved.plain) == (str(path), True)
    assert store(home).find("reg.example") == ANN


def test_docker_hub_is_kept_under_dockers_name(home: Path) -> None:
    store(home).save("docker.io", ANN)
    assert list(json.loads((home / ".docker/config.json").read_text())["auths"]) == [HUB_KEY]


def test_an_identity_token_is_kept(home: Path) -> None:
    kept = Credential("ann", identity_token="idt")
    store(home).save("reg.example", kept)
    assert store(home).find("reg.example") == kept


def test_only_the_owner_can_read_the_file(home: Path) -> None:
    path = docker(home, {"auths": {}})
    path.chmod(0o644)
    store(home).save("reg.example", ANN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_everything_else_in_the_file_survives(home: Path) -> None:
    before = {
        "auths": {"other.example": auth("bob:x"), "reg.example": {"email": "a@b", **auth("o:o")}},
        "HttpHeaders": {"X": "y"},
        "psFormat": "table {{.ID}}",
    }
    path = docker(home, before)
    store(home).save("reg.example", ANN)
    after = json.loads(path.read_text())
    assert after["auths"]["other.example"] == before["auths"]["other.example"]  # type: ignore[index]
    assert after["auths"]["reg.example"] == {"email": "a@b", **auth("ann:secret")}
    assert list(after) == list(before)


def test_a_linked_file_stays_linked(home: Path) -> None:
    target = write(home / "real.json", {})
    (home / ".docker").mkdir()
    (home / ".docker/config.json").symlink_to(target)
    store(home).save("reg.example", ANN)
    assert (home / ".docker/config.json").is_symlink()
    assert "reg.example" in target.read_text()


def test_a_file_that_cannot_be_written_stays_and_is_named(home: Path) -> None:
    write(home / ".docker", "in the way")
    with pytest.raises(Unavailable, match="cannot write .*config.json"):
        store(home).save("reg.example", ANN)


def test_what_is_no_file_is_never_replaced(home: Path) -> None:
    """Else root, who uses /dev/null for having no credentials, would lose /dev/null."""
    path = home / ".docker/config.json"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as thing:
        thing.bind(str(home / "thing"))
    path.symlink_to(home / "thing")
    with pytest.raises(Unavailable, match="thing: it is not a file"):
        AuthFile({}, "empty").save(path, "reg.example", ANN)
    assert stat.S_ISSOCK((home / "thing").stat().st_mode)


def test_auths_that_are_null_are_none(home: Path) -> None:
    docker(home, {"auths": None})
    store(home).save("reg.example", ANN)
    assert store(home).find("reg.example") == ANN


def test_a_file_that_cannot_be_written_again_stays(home: Path) -> None:
    text = r'{"note": "\ud800"}'
    path = docker(home, text)
    with pytest.raises(InvalidAuthFile, match="cannot be written again"):
        store(home).save("reg.example", ANN)
    assert path.read_text() == text


def test_nothing_is_left_beside_the_file(home: Path) -> None:
    store(home).save("reg.example", ANN)
    assert [path.name for path in (home / ".docker").iterdir()] == ["config.json"]


def test_a_helper_keeps_the_secret_out_of_the_file(home: Path, helpers: FakeHelpers) -> None:
    path = docker(home, {"credsStore": "vault"})
    saved = store(home, helpers).save("reg.example", ANN)
    assert (saved.where, saved.plain) == ("vault", False)
    assert helpers.kept == {("vault", "reg.example"): ANN}
    assert json.loads(path.read_text())["auths"] == {"reg.example": {}}


def test_without_a_home_there_is_nowhere_to_save() -> None:
    with pytest.raises(Unavailable, match="no file to keep credentials in"):
        CredentialStore(CredentialLocations()).save("reg.example", ANN)


def test_logging_out_removes_all_forms(home: Path) -> None:
    path = docker(
        home,
        {
            "auths": {
                "reg.example": auth("a:b"),
                "http://reg.example": auth("a:b"),
                "https://reg.example": auth("a:b"),
                "reg.example:5000": auth("a:b"),
            }
        },
    )
    assert store(home).erase("reg.example")
    assert list(json.loads(path.read_text())["auths"]) == ["reg.example:5000"]
    assert not store(home).erase("reg.example")


def test_logging_out_of_docker_hub(home: Path) -> None:
    store(home).save("docker.io", ANN)
    assert store(home).erase("docker.io")
    assert store(home).find("docker.io") is None


def test_logging_out_empties_the_helper(home: Path, helpers: FakeHelpers) -> None:
    docker(home, {"credsStore": "vault"})
    store(home, helpers).save("reg.example", ANN)
    assert store(home, helpers).erase("reg.example")
    assert not helpers.kept


def test_logging_out_reaches_every_file(home: Path) -> None:
    docker(home, {"auths": {"reg.example": auth("a:b")}})
    write(home / ".config/containers/auth.json", {"auths": {"reg.example": auth("a:b")}})
    assert store(home).erase("reg.example")
    assert store(home).find("reg.example") is None
