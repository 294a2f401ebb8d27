"""Credential helpers are programs; these are real ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nacre.distribution.credential import Credential
from nacre.distribution.helpers import Helper
from nacre.errors import Invalid, Unavailable

ANN = Credential("ann", "secret")

KEEPER = """#!/bin/sh
case $1 in
  get) read -r server; file=$(echo "$server" | tr / _)
       if [ -e "{folder}/$file" ]; then cat "{folder}/$file"
       else echo "credentials not found in native keychain"; exit 1; fi;;
  store) cat > "{folder}/stored";;
  erase) read -r server; rm "{folder}/$(echo "$server" | tr / _)";;
esac
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def install(folder: Path, name: str, script: str) -> None:
    path = folder / f"docker-credential-{name}"
    path.write_text(script)
    path.chmod(0o755)


@pytest.fixture
def keeper(folder: Path) -> Helper:
    install(folder, "keeper", KEEPER.replace("{folder}", str(folder)))
    return Helper("keeper")


def test_a_credential_is_got(folder: Path, keeper: Helper) -> None:
    answer = {"ServerURL": "reg.example", "Username": "ann", "Secret": "secret"}
    (folder / "reg.example").write_text(json.dumps(answer))
    assert keeper.get("reg.example") == ANN


def test_the_token_user_marks_an_identity_token(folder: Path, keeper: Helper) -> None:
    (folder / "reg.example").write_text('{"Username": "<token>", "Secret": "idt"}')
    assert keeper.get("reg.example") == Credential(identity_token="idt")


def test_what_is_not_kept_is_none(keeper: Helper) -> None:
    assert keeper.get("reg.example") is None


def test_a_credential_is_stored(folder: Path, keeper: Helper) -> None:
    keeper.store("reg.example", ANN)
    assert json.loads((folder / "stored").read_text()) == {
        "ServerURL": "reg.example",
        "Username": "ann",
        "Secret": "secret",
    }


def test_an_identity_token_is_stored_under_the_token_user(folder: Path, keeper: Helper) -> None:
    keeper.store("reg.example", Credential("ann", identity_token="idt"))
    stored = json.loads((folder / "stored").read_text())
    assert (stored["Username"], stored["Secret"]) == ("<token>", "idt")


def test_a_credential_is_erased(folder: Path, keeper: Helper) -> None:
    (folder / "reg.example").write_text("{}")
    keeper.erase("reg.example")
    assert not (folder / "reg.example").exists()


def test_a_failing_helper_is_named_with_its_reason(folder: Path) -> None:
    install(folder, "bad", "#!/bin/sh\necho locked; exit 2\n")
    with pytest.raises(
        Unavailable, match="docker-credential-bad could not get a credential: locked"
    ):
        Helper("bad").get("reg.example")
    with pytest.raises(Unavailable, match="could not store"):
        Helper("bad").store("reg.example", ANN)


@pytest.mark.parametrize("answer", ["", "{}", "[]", '{"Username": 1, "Secret": "x"}'])
def test_an_answer_that_cannot_be_read_is_an_error(folder: Path, answer: str) -> None:
    install(folder, "odd", f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")
    with pytest.raises(Invalid, match="docker-credential-odd gave an answer"):
        Helper("odd").get("reg.example")


def test_a_helper_that_is_not_installed_is_named(folder: Path) -> None:
    with pytest.raises(Unavailable, match="docker-credential-absent is not installed") as caught:
        Helper("absent").get("reg.example")
    assert "credsStore" in caught.value.remedy


def test_a_helper_that_hangs_is_left(folder: Path) -> None:
    install(folder, "slow", "#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(Unavailable, match=r"did not answer within 0\.2 seconds"):
        Helper("slow", timeout=0.2).get("reg.example")


def test_a_child_that_a_helper_leaves_behind_is_not_waited_for(folder: Path) -> None:
    install(folder, "forks", "#!/bin/sh\nsleep 5 &\nexit 0\n")
    with pytest.raises(Unavailable, match=r"did not answer within 0\.2 seconds"):
        Helper("forks", timeout=0.2).get("reg.example")


@pytest.mark.parametrize("script", ["yes", "yes >&2", "head -c 100000000 /dev/zero"])
def test_a_helper_without_end_is_stopped(folder: Path, script: str) -> None:
    install(folder, "endless", f"#!/bin/sh\n{script}\n")
    with pytest.raises(Invalid, match="an answer of more than 1048576 bytes"):
        Helper("endless").get("reg.example")


def test_a_helper_need_not_listen(folder: Path) -> None:
    answer = '{"Username": "ann", "Secret": "secret"}'
    install(folder, "deaf", f"#!/bin/sh\nexec <&-\necho '{answer}'\n")
    assert Helper("deaf").get("reg.example" * 100_000) == ANN


def test_what_is_no_text_is_no_credential(folder: Path) -> None:
    answer = r'{"Username": "ann", "Secret": "\ud800"}'
    install(folder, "odd", f"#!/bin/sh\ncat >/dev/null\ncat <<'END'\n{answer}\nEND\n")
    with pytest.raises(Invalid, match="an answer that cannot be read"):
        Helper("odd").get("reg.example")


def test_a_failing_helper_does_not_give_away_the_secret(folder: Path) -> None:
    answer = '{"Username": "ann", "Secret": "secret"}'
    install(folder, "leaky", f"#!/bin/sh\ncat\necho '{answer}'\nexit 1\n")
    with pytest.raises(Unavailable) as get:
        Helper("leaky").get("x")
    with pytest.raises(Unavailable) as store:
        Helper("leaky").store("x", ANN)
    assert "secret" not in str(get.value) + str(store.value)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "-x"])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(Invalid, match="no name of a credential helper"):
        Helper(name)
