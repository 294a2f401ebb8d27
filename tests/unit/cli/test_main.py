"""How commands end: exit codes, and one line for whatever goes wrong."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import pytest

from nacre import __version__
from nacre.errors import Denied, NacreError
from tests.unit.cli.running import Ended, run, run_on


def failing(error: BaseException, *before: str) -> Ended:
    """Run a command whose work fails with an error."""

    def tag(*_words: str) -> None:
        raise error

    engine = SimpleNamespace(images=SimpleNamespace(tag=tag), close=lambda: None)
    return run_on(engine, *before, "tag", "a", "b")


def test_an_error_is_one_line_with_its_remedy() -> None:
    error = Denied("the store\nin x is\tread-only", remedy="choose another")
    assert failing(error) == (1, "", "Error: the store in x is read-only (choose another)\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NacreError("it went wrong"), "it went wrong"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"),
         "x: No such file or directory (check the path and its permissions)"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
        (PermissionError(errno.EACCES, "Permission denied", b"\xff.tar"),
         r"\udcff.tar: Permission denied (check the path and its permissions)"),
        (MemoryError(), "out of memory"),
        (
            KeyError("x"),
            "internal error: KeyError: 'x' (a bug in nacre: run 'nacre --debug …' to see where)",
        ),
    ],
)  # fmt: skip
def test_whatever_is_raised_ends_in_one_line(error: Exception, line: str) -> None:
    assert failing(error) == (1, "", f"Error: {line}\n")


@pytest.mark.parametrize("before", [["--debug"], ["-D"], ["--root", "x", "-D"]])
def test_debug_shows_the_traceback_too(before: list[str]) -> None:
    got = failing(KeyError("x"), *before)
    assert got.code == 1
    assert "Traceback (most recent call last)" in got.err
    assert got.err.splitlines()[-1].startswith("Error: internal error: KeyError: 'x'")


def test_debug_after_the_command_is_an_unknown_flag() -> None:
    assert run("tag", "--debug", "a", "b").code == 125


def test_an_error_may_bring_its_exit_code() -> None:
    error = NacreError("no template")
    error.exit_code = 64  # type: ignore[attr-defined]
    assert failing(error).code == 64


def test_an_interrupted_command_says_nothing() -> None:
    assert failing(KeyboardInterrupt()) == (130, "", "")


def test_a_reader_who_has_enough_is_no_error() -> None:
    assert failing(BrokenPipeError(errno.EPIPE, "Broken pipe")) == (141, "", "")


def test_the_engine_is_closed_also_after_a_failure() -> None:
    closed: list[bool] = []
    engine = SimpleNamespace(images=None, close=lambda: closed.append(True))
    assert run_on(engine, "tag", "a", "b").code == 1
    assert closed == [True]


def test_what_a_terminal_would_obey_is_escaped() -> None:
    got = failing(NacreError("no such image: \x1b[2J\u202e\x00"))
    assert got.err == "Error: no such image: \\x1b[2J\\u202e\\x00\n"


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_the_version_is_one_line(flag: str) -> None:
    assert run(flag) == (0, f"nacre version {__version__}\n", "")


def test_version_can_be_asked_for_in_parts() -> None:
    assert run("version", "--format", "{{.Client.Version}}").out == f"{__version__}\n"
    assert run("version").out.startswith(f"Client:\n Version:           {__version__}\n")
    assert run("version", "-f", "json").out.startswith('{"Client":{"Version":')


def test_a_bad_template_has_the_exit_code_of_inspect() -> None:
    got = run("version", "--format", "{{")
    assert (got.code, got.err) == (
        64,
        "Error: template parsing error: template: :1: unclosed action\n",
    )


def test_global_flags_end_at_the_command() -> None:
    assert run("--root", "/nowhere", "version", "--help").code == 0
    assert run("--root=/nowhere", "--config", "/nowhere", "-D", "version", "--help").code == 0
    assert run("version", "--root", "/nowhere").code == 125
