"""What ``nacre --help`` and ``nacre image --help`` print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nacre.cli import catalogue
from nacre.cli.flags import Flag
from nacre.cli.usage import options, rows


def top(flags: Sequence[Flag]) -> str:
    """Return the help of nacre as a whole; ``flags`` are those before any command."""
    rest = [name for name in catalogue.single_words() if name not in catalogue.COMMON]
    sections = (
        _section("Common Commands:", map(_row, catalogue.COMMON)),
        _section("Management Commands:", catalogue.GROUPS.items()),
        _section("Commands:", map(_row, rest)),
        "\n".join(["Global Options:", *options(flags)]),
        "Run 'nacre COMMAND --help' for more information on a command.",
    )
    start = "Usage:  nacre [OPTIONS] COMMAND\n\nContainer images without a daemon\n\n"
    return start + "\n\n".join(sections) + "\n"


def group(name: str) -> str:
    """Return the help of a group of commands."""
    size = len(name.split())
    groups = catalogue.GROUPS | catalogue.SUBGROUPS
    inner = [(each, text) for each, text in groups.items() if each.rpartition(" ")[0] == name]
    own = [entry for entry in catalogue.group(name) if len(entry.path) == size + 1]
    entries = sorted(
        [(entry.path[size], entry.summary) for entry in own]
        + [(each.split()[size], text) for each, text in inner]
    )
    return (
        f"Usage:  nacre {name} COMMAND\n\n{groups[name]}\n\n"
        f"{_section('Commands:', entries)}\n\n"
        f"Run 'nacre {name} COMMAND --help' for more information on a command.\n"
    )


def _section(title: str, entries: Iterable[tuple[str, str]]) -> str:
    return "\n".join([title, *rows(entries)])


def _row(name: str) -> tuple[str, str]:
    return name, catalogue.ENTRIES[catalogue.SHORT_FORMS.get(name, (name,))].summary
