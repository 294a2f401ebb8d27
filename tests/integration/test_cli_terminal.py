"""Commands at a terminal: bars, interruption, secrets, questions."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.conftest import ProxyStarter, RegistryStarter
from tests.integration.images import noise_image, place
from tests.peers.nacre import NacreCli
from tests.peers.proxy import CountingProxy

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def slow(
    nacre_cli: NacreCli,
    docker_registry: RegistryStarter,
    proxy_before: ProxyStarter,
    tmp_path: Path,
) -> CountingProxy:
    """A proxy before a registry that has ``big:1``, through which bytes trickle."""
    registry = docker_registry()
    place(noise_image(1, 4, 4), nacre_cli, tmp_path / "layout", f"docker://{registry.host}/big:1")
    proxy = proxy_before(registry.port)
    proxy.delay = 0.05
    return proxy


def test_a_pull_shows_live_bars_with_rates(nacre_cli: NacreCli, slow: CountingProxy) -> None:
    with nacre_cli.at_terminal("pull", f"{slow.host}/big:1") as terminal:
        terminal.wait_for(r"[0-9a-f]{12}: Downloading.*MB.*[kM]B/s")
        assert HIDE_CURSOR in terminal.shown
        assert terminal.end() == 0
    assert terminal.shown.rindex(SHOW_CURSOR) > terminal.shown.rindex(HIDE_CURSOR)
    assert terminal.text.count("Pull complete") >= 2
    assert terminal.text.splitlines()[-1] == f"{slow.host}/big:1"


def test_ctrl_c_ends_a_pull_at_once_and_in_order(nacre_cli: NacreCli, slow: CountingProxy) -> None:
    slow.delay = 0.5
    with nacre_cli.at_terminal("pull", f"{slow.host}/big:1") as terminal:
        terminal.wait_for(r"Downloading")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert terminal.shown.rindex(SHOW_CURSOR) > terminal.shown.rindex(HIDE_CURSOR)
    assert "Traceback" not in terminal.text
    assert "Error" not in terminal.text
    assert nacre_cli("images", "-aq") == ""
    slow.delay = 0
    nacre_cli("pull", "-q", f"{slow.host}/big:1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_leaves_the_terminal_in_order(
    nacre_cli: NacreCli, slow: CountingProxy, number: signal.Signals
) -> None:
    slow.delay = 0.5
    with nacre_cli.at_terminal("pull", f"{slow.host}/big:1") as terminal:
        terminal.wait_for(r"Downloading")
        terminal.kill(number)
        assert terminal.end() == 128 + number
    assert terminal.shown.rindex(SHOW_CURSOR) > terminal.shown.rindex(HIDE_CURSOR)
    assert "Traceback" not in terminal.text
    assert "Error" not in terminal.text
    assert nacre_cli("images", "-aq") == ""
    slow.delay = 0
    nacre_cli("pull", "-q", f"{slow.host}/big:1")


def test_the_password_of_a_login_is_not_shown(
    nacre_cli: NacreCli, docker_registry: RegistryStarter
) -> None:
    host = docker_registry(user="ana", password="mother-of-pearl").host
    with nacre_cli.at_terminal("login", host) as terminal:
        terminal.wait_for("Username: ")
        terminal.type("ana\n")
        terminal.wait_for("Password: ")
        terminal.type("mother-of-pearl\n")
        assert terminal.end() == 0
    assert "mother-of-pearl" not in terminal.text
    assert terminal.text.splitlines()[-1] == "Login Succeeded"


def test_a_second_login_offers_the_name_of_the_first(
    nacre_cli: NacreCli, docker_registry: RegistryStarter
) -> None:
    host = docker_registry(user="ana", password="mother-of-pearl").host
    nacre_cli("login", "-u", "ana", "--password-stdin", host, stdin="mother-of-pearl\n")
    with nacre_cli.at_terminal("login", host) as terminal:
        terminal.wait_for(r"Username \(ana\): ")
        terminal.type("\n")
        terminal.wait_for("Password: ")
        terminal.type("wrong\n")
        assert terminal.end() == 1
    assert terminal.text.splitlines()[-1].startswith("Error: ")


def test_ctrl_c_at_the_password_gives_the_terminal_back(nacre_cli: NacreCli) -> None:
    with nacre_cli.at_terminal("login", "-u", "ana", "127.0.0.1:1") as terminal:
        terminal.wait_for("Password: ")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert "Traceback" not in terminal.text


def test_an_archive_is_not_written_to_a_terminal(nacre_cli: NacreCli) -> None:
    with nacre_cli.at_terminal("save", "a") as terminal:
        assert terminal.end() == 1
    assert terminal.text == (
        "Error: cowardly refusing to save to a terminal (use the -o flag or redirect)\n"
    )


@pytest.mark.parametrize(
    "words", [["load"], ["import", "-"], ["login", "-u", "ana", "--password-stdin", "127.0.0.1:1"]]
)
def test_bytes_are_not_read_from_a_terminal(nacre_cli: NacreCli, words: list[str]) -> None:
    with nacre_cli.at_terminal(*words) as terminal:
        assert terminal.end() == 1
    assert "from stdin, but stdin is a terminal" in terminal.text


@pytest.mark.parametrize(("answer", "left"), [("n", 1), ("", 1), ("y", 0)])
@pytest.mark.parametrize("group", ["image", "system"])
def test_prune_asks_first(
    nacre_cli: NacreCli, a_tar: Path, group: str, answer: str, left: int
) -> None:
    nacre_cli("import", a_tar)
    with nacre_cli.at_terminal(group, "prune") as terminal:
        terminal.wait_for(r"dangling images[\s\S]*Are you sure you want to continue\? \[y/N\] ")
        terminal.type(f"{answer}\n")
        assert terminal.end() == 0
    assert len(nacre_cli("images", "-q").split()) == left
    assert ("Total reclaimed space: " in terminal.text) == (left == 0)


def test_a_load_shows_layers_at_a_terminal_only(
    nacre_cli: NacreCli, a_tar: Path, tmp_path: Path
) -> None:
    nacre_cli("import", a_tar, "demo:1")
    nacre_cli("save", "-o", tmp_path / "demo.tar", "demo:1")
    nacre_cli("rmi", "demo:1")
    with nacre_cli.at_terminal("load", "-i", tmp_path / "demo.tar") as terminal:
        assert terminal.end() == 0
    assert "Pull complete" in terminal.text
    nacre_cli("rmi", "demo:1")
    assert nacre_cli("load", "-i", tmp_path / "demo.tar") == "Loaded image: demo:1\n"
