"""The completion scripts, in the shells that they are for."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.peers.nacre import NacreCli
from tests.peers.terminal import at_terminal
from tests.peers.tools import require_tool, run, succeed

# What bash itself does before it calls the function: break the line into words and operators.
DRIVER = """
eval "$(nacre completion bash)"
complete_line() {
    COMP_LINE=$1 COMP_POINT=${#1}
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _nacre nacre
    printf '%s\\n' "${COMPREPLY[@]}"
}
"""


@pytest.fixture
def cli(nacre_cli: NacreCli, a_tar: Path) -> NacreCli:
    """A nacre with images whose names have colons."""
    nacre_cli("import", a_tar, "demo:one")
    nacre_cli("tag", "demo:one", "demo:other")
    nacre_cli("tag", "demo:one", "localhost:5000/team/app:x")
    return nacre_cli


@pytest.mark.parametrize(
    ("line", "words", "replies"),
    [
        ("nacre image l", ["nacre", "image", "l"], ["layers", "load", "ls"]),
        ("nacre  manifest ", ["nacre", "manifest", ""], ["create", "inspect", "push"]),
        ("nacre history de", ["nacre", "history", "de"], ["demo:one", "demo:other"]),
        ("nacre history demo:", ["nacre", "history", "demo", ":"], ["one", "other"]),
        ("nacre history demo:ot", ["nacre", "history", "demo", ":", "ot"], ["other"]),
        ("nacre rmi localhost:5000/t", ["nacre", "rmi", "localhost", ":", "5000/t"],
         ["5000/team/app:x"]),
        ("nacre tag demo:one demo:o", ["nacre", "tag", "demo", ":", "one", "demo", ":", "o"],
         ["one", "other"]),
        ("nacre pull --progress=p", ["nacre", "pull", "--progress", "=", "p"], ["plain"]),
        ("nacre pull --progress p", ["nacre", "pull", "--progress", "p"], ["plain"]),
        ("nacre images --no", ["nacre", "images", "--no"], ["--no-trunc"]),
        ("nacre load -i ", ["nacre", "load", "-i", ""], [""]),
    ],
)  # fmt: skip
def test_bash_is_given_what_completes_its_last_word(
    cli: NacreCli, line: str, words: list[str], replies: list[str]
) -> None:
    done = cli.in_shell(f"{DRIVER}\ncomplete_line {shlex.join([line, *words])}")
    assert (done.stdout.splitlines(), done.stderr) == (replies, "")


def test_bash_completes_at_the_terminal(cli: NacreCli) -> None:
    bash = [require_tool("bash"), "--noprofile", "--norc", "-i"]
    with at_terminal(bash, {**cli.shell_environment(), "PS1": "> "}) as terminal:
        terminal.wait_for("> ")
        terminal.type('eval "$(nacre completion bash)"; echo "rea""dy"\n')
        terminal.wait_for("ready")
        terminal.type("nacre hist\tdemo:ot\t-q\n")
        terminal.wait_for(r"nacre history demo:other -q\s+[0-9a-f]{12}\s")
        terminal.type("cd $HOME; nacre save demo:one -o out.tar; echo sa''ved\n")
        terminal.wait_for("saved")
        terminal.type("nacre load -i out.t\t\n")
        terminal.wait_for(r"Loaded image: demo:one\s")
        terminal.type("exit\n")
        terminal.end()


def test_zsh_completes_at_the_terminal(cli: NacreCli) -> None:
    with at_terminal([require_tool("zsh"), "-f", "-i"], cli.shell_environment()) as terminal:
        terminal.type("PS1='> '; eval \"$(nacre completion zsh)\"; echo rea''dy\n")
        terminal.wait_for("ready")
        terminal.type("nacre hist\tdemo:ot\t-q\n")
        terminal.wait_for(r"[\r\n][0-9a-f]{12}\s")
        terminal.type(f"nacre --root {cli.root} rmi localhost:5\t\n")
        terminal.wait_for(r"Untagged: localhost:5000/team/app:x")
        terminal.type("exit\n")
        terminal.end()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("nacre image l", ["layers", "load", "ls"]),
        ("nacre history demo:", ["demo:one", "demo:other"]),
        ("nacre pull --progress=p", ["--progress=plain"]),
        ("nacre rmi localhost:5000/", ["localhost:5000/team/app:x"]),
    ],
)
def test_fish_completes(cli: NacreCli, line: str, found: list[str]) -> None:
    script = f"nacre completion fish | source; complete -C {shlex.quote(line)}"
    argv = (require_tool("fish"), "--no-config", "-c", script)
    done = succeed(run(*argv, env=cli.shell_environment()))
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == found


def test_fish_falls_back_to_files(cli: NacreCli, tmp_path: Path) -> None:
    (tmp_path / "archive.tar").touch()
    script = f"nacre completion fish | source; complete -C 'nacre load -i {tmp_path}/arch'"
    argv = (require_tool("fish"), "--no-config", "-c", script)
    done = succeed(run(*argv, env=cli.shell_environment()))
    assert "archive.tar" in done.stdout


def test_an_unknown_shell_is_refused(nacre_cli: NacreCli) -> None:
    said = nacre_cli.refused("completion", "tcsh")
    assert said == "Error: unknown shell: tcsh (known are bash, zsh, fish)\n"


def test_completing_tells_nothing_of_what_goes_wrong(cli: NacreCli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = ["nacre", "--root", f"{tmp_path}/file", "rmi", ""]
    done = cli.in_shell(f"{DRIVER}\ncomplete_line {shlex.join([' '.join(words), *words])}")
    assert (done.stdout, done.stderr) == ("\n", "")
