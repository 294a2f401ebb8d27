"""What a command has to do with the outside: streams, the engine, and how progress is shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cached_property

from nacre.errors import Invalid, NacreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import TextIOWrapper
    from typing import BinaryIO, TextIO

    from nacre.engine.engine import Engine


class Console:
    """The streams of one run and the engine it works on, opened when first asked for."""

    def __init__(
        self, stdin: TextIO, stdout: TextIO, stderr: TextIO, open_engine: Callable[[], Engine]
    ) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self._open_engine = open_engine

    @cached_property
    def engine(self) -> Engine:
        """The engine with the settings and the store that the command line chose."""
        return self._open_engine()

    @cached_property
    def _is_terminal(self) -> bool:
        return self.stdout.isatty()

    def write(self, text: str) -> None:
        """Print a text of result: to files and pipes as it is, to a terminal so that it is safe."""
        self.stdout.write(harmless(text) if self._is_terminal else text)

    def line(self, text: str = "") -> None:
        """Print a line of result; see `write`."""
        self.write(f"{text}\n")

    def lines(self, texts: Iterable[str]) -> None:
        """Print several lines of result."""
        for text in texts:
            self.line(text)

    def note(self, text: str) -> None:
        """Tell the user something that is no result."""
        self.stdout.flush()
        self.stderr.write(f"{text}\n")
        self.stderr.flush()

    def complain(self, error: NacreError) -> None:
        """Tell the user of one failure among several things to do."""
        self.note(error_line(error))

    def confirm(self, warning: str) -> bool:
        """Ask whether to go on; only ``y`` or ``yes`` means yes."""
        return self.ask(f"{warning}\nAre you sure you want to continue? [y/N] ").lower() in (
            "y",
            "yes",
        )

    def ask(self, prompt: str) -> str:
        """Ask for a line."""
        self.stdout.write(prompt)
        self.stdout.flush()
        return self.stdin.readline().strip()

    def ask_secret(self, prompt: str) -> str:
        """Ask on the terminal for a line that is not shown."""
        from getpass import getpass

        return getpass(prompt)

    def binary_input(self, what: str) -> BinaryIO:
        """Return standard input as bytes, for ``what`` is to be done with them.

        Raises:
            Invalid: it is a terminal, where nobody types an archive.
        """
        if self.stdin.isatty():
            raise Invalid(
                f"requested {what} from stdin, but stdin is a terminal",
                remedy="redirect a file or a pipe to it",
            )
        return self.stdin.buffer

    def binary_output(self) -> BinaryIO:
        """Return standard output as bytes."""
        self.stdout.flush()
        return self.stdout.buffer

    def close(self) -> None:
        """Close the engine if it was opened."""
        engine = self.__dict__.pop("engine", None)
        if engine is not None:
            engine.close()


def open_streams() -> None:
    """Make the standard streams ones that any text can be written to.

    Whatever the locale, output is UTF-8, as Docker's is; bytes of an argument that are no UTF-8
    leave as they came. A stream that was closed by the caller leads nowhere.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream: TextIOWrapper | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open("/dev/null", mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        else:
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def error_line(error: NacreError) -> str:
    """Return the one line that says what went wrong and what to do about it.

    Names may come from anywhere: what a terminal would obey is escaped.
    """
    remedy = f" ({error.remedy})" if error.remedy else ""
    return harmless(" ".join(f"Error: {error}{remedy}".split()))


def harmless(text: str) -> str:
    """Return a text with all that a terminal would obey escaped, but for ends of lines and tabs.

    Whoever made an image wrote its history and labels: they might set titles, hide lines or, on
    some terminals, type commands.
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    return character if character.isprintable() or character in "\n\t" else repr(character)[1:-1]
