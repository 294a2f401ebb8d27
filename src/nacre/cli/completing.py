"""What the unfinished last word of a command line may become."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nacre.cli import catalogue
from nacre.cli.flags import Flag, Given, UsageError, parse
from nacre.cli.options import GLOBAL_FLAGS, HELP

ImageNames = Callable[[Given], Iterable[str]]
"""Returns the names of all local images, given the flags before the command."""

_NO_IMAGES = ("FILE|-", "[SERVER]", "TERM")


def candidates(words: Sequence[str], image_names: ImageNames) -> list[str]:
    """Return what the last of the words after ``nacre`` may become; nothing means a file.

    The last word is empty where a new one is to begin.
    """
    *before, current = words or [""]
    return sorted({each for each in _all(before, current, image_names) if each.startswith(current)})


def _all(before: Sequence[str], current: str, image_names: ImageNames) -> Iterable[str]:
    try:
        options = parse(GLOBAL_FLAGS, before, until_word=True)
    except UsageError:
        return _values(GLOBAL_FLAGS, before)
    found = catalogue.find(options.words)
    if found is None:
        return _commands(options.words, current)
    entry, length = found
    flags = (*entry.load().FLAGS, HELP)
    rest = options.words[length:]
    try:
        given = parse(flags, rest)
    except UsageError:
        return _values(flags, rest)
    if current.startswith("-") and "--" not in rest:
        return _forms(flags)
    return _words(entry, given, lambda: image_names(options))


def _values(flags: Sequence[Flag], before: Sequence[str]) -> Iterable[str]:
    """Return the values of the flag that the last word is, if it can have few values only."""
    for flag in flags:
        if before[-1] in flag.forms.split(", "):
            return flag.kind.choices
    return ()


def _commands(words: Sequence[str], current: str) -> Iterable[str]:
    if not words:
        if current.startswith("-"):
            return _forms(GLOBAL_FLAGS)
        return [*catalogue.single_words(), *catalogue.GROUPS]
    return [entry.path[1] for entry in catalogue.group(words[0])] if len(words) == 1 else ()


def _forms(flags: Sequence[Flag]) -> Iterable[str]:
    """Return the long forms of flags, and with ``=`` the values of those that have few."""
    for flag in flags:
        yield f"--{flag.name}"
        yield from (f"--{flag.name}={choice}" for choice in flag.kind.choices)


def _words(
    entry: catalogue.Entry, given: Given, image_names: Callable[[], Iterable[str]]
) -> Iterable[str]:
    places = entry.usage.split()
    if not places:
        return ()
    place = places[min(len(given.words), len(places) - 1)]
    if place.startswith("{"):
        return place.strip("{}").split("|")
    return () if place in _NO_IMAGES else image_names()
