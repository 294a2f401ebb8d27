"""How a command is used: the help it prints, and whether it was given as many words as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nacre.cli.flags import Flag, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.cli.catalogue import Entry

_WIDTH = 80


def check_count(command: str, usage: str, words: Sequence[str]) -> None:
    """Check the number of words against a usage such as ``IMAGE [IMAGE...]``.

    Raises:
        UsageError: there are too few or too many.
    """
    places = usage.split()
    least = sum(not place.startswith("[") for place in places)
    most = None if "..." in usage else len(places)
    if least <= len(words) and (most is None or len(words) <= most):
        return
    raise UsageError(f"'{command}' {_wanted(least, most)}", remedy=f"see '{command} --help'")


def _wanted(least: int, most: int | None) -> str:
    if most == 0:
        return "accepts no arguments"
    if most is None:
        return f"requires at least {_arguments(least)}"
    if least == most:
        return f"requires {_arguments(least)}"
    if not least:
        return f"requires at most {_arguments(most)}"
    return f"requires at least {least} and at most {_arguments(most)}"


def _arguments(count: int) -> str:
    return f"{count} argument{'' if count == 1 else 's'}"


def command_help(command: str, entry: Entry, flags: Sequence[Flag], more: str) -> str:
    """Return the help of one command, typed as ``command``; ``more`` is what it ends with."""
    shown = sorted((flag for flag in flags if flag.text), key=lambda flag: flag.name)
    words = f"{command} [OPTIONS] {entry.usage}".rstrip()
    parts = [f"Usage:  {words}", entry.summary]
    if len(entry.names) > 1:
        parts.append(f"Aliases:\n  {', '.join(entry.names)}")
    parts.append("\n".join(["Options:", *options(shown)]))
    if more:
        parts.append(more.rstrip())
    return "\n\n".join(parts) + "\n"


def rows(entries: Iterable[tuple[str, str]]) -> list[str]:
    """Return names and what they mean in two columns, the second one wrapped."""
    import textwrap

    listed = list(entries)
    width = max(len(name) for name, _ in listed) + 3
    lines: list[str] = []
    for name, text in listed:
        first, *others = textwrap.wrap(text, max(_WIDTH - width - 2, 30))
        lines.append(f"  {name:<{width}}{first}")
        lines += [f"  {'':<{width}}{other}" for other in others]
    return lines


def options(flags: Sequence[Flag]) -> list[str]:
    """Return a line or more for each flag: how to write it and what it does."""
    return rows((_option(flag), _meaning(flag)) for flag in flags)


def _option(flag: Flag) -> str:
    forms = flag.forms if flag.short else f"    {flag.forms}"
    return f"{forms} {flag.kind.word}".rstrip()


def _meaning(flag: Flag) -> str:
    if flag.kind.repeats or not flag.default:
        return flag.text
    default = flag.kind.written(flag.default)
    return f"{flag.text} (default {default})"
