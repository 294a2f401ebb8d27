"""What the unfinished last word of a command line may become."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nacre.cli import catalogue
from nacre.cli.flags import Flag, Given, UsageError, parse
from nacre.cli.options import GLOBAL_FLAGS, HELP
from nacre.cli.places import split_place
from nacre.cli.render.names import is_plain

ImageNames = Callable[[Given], Iterable[str]]
"""Returns the names of all local images, given the flags before the command."""

ImagePaths = Callable[[Given, str, str], Iterable[str]]
"""Returns the names in a directory of an image, those of directories with a slash behind them;
given the flags before the command."""

_NO_IMAGES = (
    "DEST|-", "FILE|URL|-", "NAMESPACE", "REPOSITORY", "[REPOSITORY...]", "[SERVER]", "TERM",
    "USER", "[USER...]",
)  # fmt: skip


def _no_paths(_options: Given, _image: str, _directory: str) -> Iterable[str]:
    return ()


def candidates(
    words: Sequence[str], image_names: ImageNames, image_paths: ImagePaths = _no_paths
) -> list[str]:
    """Return what the last of the words after ``nacre`` may become; nothing means a file.

    The last word is empty where a new one is to begin.
    """
    *before, current = words or [""]
    found = _all(before, current, image_names, image_paths)
    return sorted({each for each in found if each.startswith(current)})


def _all(
    before: Sequence[str], current: str, image_names: ImageNames, image_paths: ImagePaths
) -> Iterable[str]:
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
    place = _place(entry, given)
    if "PATH" in place and ":/" in current:
        start = current[: current.rindex("/") + 1]
        image, directory = split_place(start)
        inside = image_paths(options, image, directory or "/")
        return [f"{start}{name}" for name in inside if is_plain(name)]
    return _words(place, lambda: image_names(options))


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
    inside = catalogue.group_of(words)
    if len(inside) < len(words):
        return ()
    return [entry.path[len(inside)] for entry in catalogue.group(" ".join(inside))]


def _forms(flags: Sequence[Flag]) -> Iterable[str]:
    """Return the long forms of flags, and with ``=`` the values of those that have few."""
    for flag in flags:
        yield f"--{flag.name}"
        yield from (f"--{flag.name}={choice}" for choice in flag.kind.choices)


def _place(entry: catalogue.Entry, given: Given) -> str:
    """Return what the usage calls the word that is to be completed."""
    places = entry.usage.split() or [""]
    return places[min(len(given.words), len(places) - 1)]


def _words(place: str, image_names: Callable[[], Iterable[str]]) -> Iterable[str]:
    if place.startswith("{"):
        return place.strip("{}").split("|")
    return () if place in ("", *_NO_IMAGES) else image_names()
