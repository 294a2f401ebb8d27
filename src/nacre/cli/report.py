"""What a command that moves content tells while it runs and when it is done.

One place decides how ``--quiet`` and ``--progress`` shape all of it: lines for people, bars, JSON
lines for programs, or just the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nacre.cli.progress.choose import progress_for
from nacre.cli.render.json import compact
from nacre.value import Value

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.cli.progress.choose import Kind
    from nacre.cli.progress.words import Verb
    from nacre.transports.events import OnEvent


class Report(Value):
    """Where a command sends events, remarks and its result."""

    console: Console
    kind: Kind
    on_event: OnEvent

    def say(self, text: str) -> None:
        """Tell how it goes; nothing when quiet."""
        if self.kind == "json":
            self.console.line(compact({"status": text}))
        elif self.kind != "quiet":
            self.console.line(text)
        self.console.stdout.flush()

    def result(self, text: str) -> None:
        """Tell the outcome, also when quiet."""
        if self.kind == "json":
            self.console.line(compact({"status": text}))
        else:
            self.console.line(text)

    def quiet_result(self, text: str) -> None:
        """Tell an outcome that the remarks have told already, so only when quiet."""
        if self.kind == "quiet":
            self.console.line(text)


@contextmanager
def reporting(
    given: Given, console: Console, verb: Verb, *, piped: Kind = "plain"
) -> Iterator[Report]:
    """Show progress as the flags say while the block runs; ``piped`` is for where no one looks."""
    kind: Kind = "quiet" if given.quiet else given.progress
    if kind == "auto" and not console.stdout.isatty():
        kind = piped
    with progress_for(kind, console.stdout, verb) as on_event:
        yield Report(console, kind, on_event)
