"""Arguments as Docker takes them: its usage line, its words for mistakes, its exit codes."""

from __future__ import annotations

import argparse
from typing import NoReturn

from nacre.errors import Invalid

BAD_OPTION = 125
"""What Docker's command line exits with when it does not know an option."""


class UsageError(Invalid):
    """The command line cannot be understood."""

    def __init__(self, message: str, *, exit_code: int, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.exit_code = exit_code


class _HelpFormatter(argparse.HelpFormatter):
    """Docker's look: ``Usage:  nacre …`` and an indented list of options."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=100)

    def add_usage(self, usage, actions, groups, prefix=None):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201, D102
        return super().add_usage(usage, actions, groups, "Usage:  " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """A parser of one command that raises instead of printing and exiting."""

    def __init__(self, command: str, usage: str, summary: str) -> None:
        super().__init__(
            prog=f"nacre {command}",
            usage=f"nacre {command} [OPTIONS]{' ' + usage if usage else ''}",
            description=summary,
            add_help=False,
            allow_abbrev=False,
            formatter_class=_HelpFormatter,
        )
        self._positionals.title = "Arguments"
        self._optionals.title = "Options"
        self.add_argument("--help", action="help", help="Print usage")

    def option_names(self) -> set[str]:
        """Return every option, in each of its forms."""
        return {name for action in self._actions for name in action.option_strings}

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found wrong, in Docker's words and with its exit code."""
        text, exit_code = _in_dockers_words(self.prog, message)
        raise UsageError(text, exit_code=exit_code, remedy=f"see '{self.prog} --help'")


def _in_dockers_words(prog: str, message: str) -> tuple[str, int]:
    unknown = "unrecognized arguments: "
    if message.startswith(unknown):
        first = message.removeprefix(unknown).split()[0]
        if first.startswith("--"):
            return f"unknown flag: {first.partition('=')[0]}", BAD_OPTION
        if first.startswith("-") and len(first) > 1:
            return f"unknown shorthand flag: {first[1]!r} in {first}", BAD_OPTION
        return f'"{prog}" was given too many arguments: {first}', 1
    required = "the following arguments are required: "
    if message.startswith(required):
        return f'"{prog}" requires {message.removeprefix(required)}', 1
    return message.replace("argument ", "invalid argument for ", 1), BAD_OPTION
