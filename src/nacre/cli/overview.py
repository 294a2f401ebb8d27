"""What ``nacre --help`` and ``nacre image --help`` print."""

from __future__ import annotations

from collections.abc import Iterable

from nacre.cli import catalogue

_OPTIONS = (
    ("--config FILE", "Settings file to use in place of the user's"),
    ("-D, --debug", "Show the traceback of an error"),
    ("-h, --help", "Print usage"),
    ("--root DIR", "Folder of the local store"),
    ("-v, --version", "Print version information and quit"),
)


def top() -> str:
    """Return the help of nacre as a whole."""
    short = [(name, _summary(name)) for name in catalogue.COMMON]
    rest = [
        (name, _summary(name))
        for name in sorted({*catalogue.SHORT_FORMS, *_single_words()} - set(catalogue.COMMON))
    ]
    return "\n".join(
        [
            "Usage:  nacre [OPTIONS] COMMAND",
            "",
            "Container images without a daemon",
            "",
            *_section("Common Commands:", short),
            *_section("Management Commands:", catalogue.GROUPS.items()),
            *_section("Commands:", rest),
            *_section("Global Options:", _OPTIONS),
            "Run 'nacre COMMAND --help' for more information on a command.",
            "",
        ]
    )


def group(name: str) -> str:
    """Return the help of a group of commands."""
    entries = [(entry.path[1], entry.summary) for entry in catalogue.group(name)]
    return "\n".join(
        [
            f"Usage:  nacre {name} COMMAND",
            "",
            catalogue.GROUPS[name],
            "",
            *_section("Commands:", entries),
            f"Run 'nacre {name} COMMAND --help' for more information on a command.",
            "",
        ]
    )


def _section(title: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    listed = list(rows)
    width = max(len(name) for name, _ in listed) + 3
    return [title, *(f"  {name:<{width}}{summary}" for name, summary in listed), ""]


def _summary(name: str) -> str:
    return catalogue.ENTRIES[catalogue.SHORT_FORMS.get(name, (name,))].summary


def _single_words() -> list[str]:
    return [path[0] for path in catalogue.ENTRIES if len(path) == 1]
