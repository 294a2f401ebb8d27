"""What a command has to do with the outside: streams, the engine, and how progress is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, TextIO

from nacre.errors import NacreError

if TYPE_CHECKING:
    from nacre.engine.engine import Engine


@dataclass(frozen=True)
class Console:
    """The streams of one run and the engine it works on, opened when first asked for."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    open_engine: Callable[[], Engine]

    @cached_property
    def engine(self) -> Engine:
        """The engine with the settings and the store that the command line chose."""
        return self.open_engine()

    def write(self, text: str) -> None:
        """Print a text of result as it is."""
        self.stdout.write(text)

    def line(self, text: str = "") -> None:
        """Print a line of result."""
        self.stdout.write(f"{text}\n")

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
        self.stdout.write(f"{warning}\nAre you sure you want to continue? [y/N] ")
        self.stdout.flush()
        return self.stdin.readline().strip().lower() in ("y", "yes")

    def ask(self, prompt: str) -> str:
        """Ask for a line."""
        self.stdout.write(prompt)
        self.stdout.flush()
        return self.stdin.readline().strip()

    def ask_secret(self, prompt: str) -> str:
        """Ask on the terminal for a line that is not shown."""
        from getpass import getpass

        return getpass(prompt)

    def binary_input(self) -> BinaryIO:
        """Return standard input as bytes."""
        return self.stdin.buffer

    def binary_output(self) -> BinaryIO:
        """Return standard output as bytes."""
        self.stdout.flush()
        return self.stdout.buffer

    def close(self) -> None:
        """Close the engine if it was opened."""
        engine = self.__dict__.get("engine")
        if engine is not None:
            engine.close()


def error_line(error: NacreError) -> str:
    """Return the one line that says what went wrong and what to do about it."""
    remedy = f" ({error.remedy})" if error.remedy else ""
    return " ".join(f"Error: {error}{remedy}".split())
