"""Streams: questions, terminals, and text that does not fit the locale."""

from __future__ import annotations

import io
from typing import NoReturn

import pytest

from nacre.cli.console import Console
from nacre.errors import Invalid


class Terminal(io.StringIO):
    """Text typed at a terminal."""

    def isatty(self) -> bool:
        return True


def no_engine() -> NoReturn:
    pytest.fail("nobody asked for an engine")


def console(stdin: str | io.StringIO = "") -> tuple[Console, io.StringIO]:
    typed = io.StringIO(stdin) if isinstance(stdin, str) else stdin
    out = io.StringIO()
    return Console(typed, out, io.StringIO(), no_engine), out


@pytest.mark.parametrize(
    ("answer", "sure"),
    [("y\n", True), ("YES\n", True), (" y \n", True), ("yes", True), ("n\n", False), ("\n", False),
     ("", False), ("yep\n", False)],
)  # fmt: skip
def test_only_yes_means_yes(answer: str, *, sure: bool) -> None:
    asking, out = console(answer)
    assert asking.confirm("WARNING! All of it.") is sure
    assert out.getvalue() == "WARNING! All of it.\nAre you sure you want to continue? [y/N] "


def test_an_answer_has_no_blanks_around_it() -> None:
    asking, out = console(" ana \nnext")
    assert asking.ask("Username: ") == "ana"
    assert out.getvalue() == "Username: "


def test_nobody_types_an_archive() -> None:
    asking, _ = console(Terminal())
    with pytest.raises(Invalid, match="requested load from stdin, but stdin is a terminal"):
        asking.binary_input("load")


def test_bytes_are_read_as_they_are() -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"\xff\r\n"), encoding="ascii")
    asking = Console(stdin, io.StringIO(), io.StringIO(), no_engine)
    assert asking.binary_input("load").read() == b"\xff\r\n"


def test_an_engine_that_nobody_asked_for_is_not_opened_to_be_closed() -> None:
    asking, _ = console()
    asking.close()


def test_notes_come_after_what_was_printed_before() -> None:
    order: list[str] = []

    class Stream(io.StringIO):
        def __init__(self, name: str) -> None:
            super().__init__()
            self._name = name

        def flush(self) -> None:
            order.append(self._name)

    Console(io.StringIO(), Stream("out"), Stream("err"), no_engine).note("x")
    assert order == ["out", "err"]


@pytest.mark.parametrize("text", ["\x1b]0;x\x07", "\x9b31m", "a\rb", "\u202eexe.txt", "\x7f"])
def test_what_a_terminal_would_obey_reaches_pipes_only(text: str) -> None:
    piped, out = console()
    piped.line(text)
    assert out.getvalue() == f"{text}\n"
    terminal = Terminal()
    Console(io.StringIO(), terminal, io.StringIO(), no_engine).line(text)
    shown = terminal.getvalue()
    assert shown.removesuffix("\n").isprintable()
    assert shown == f"{repr(text)[1:-1]}\n"


def test_a_terminal_gets_words_lines_and_tabs_as_they_are() -> None:
    terminal = Terminal()
    Console(io.StringIO(), terminal, io.StringIO(), no_engine).write("é 中 😀\tb\nc'\"\\\n")
    assert terminal.getvalue() == "é 中 😀\tb\nc'\"\\\n"
