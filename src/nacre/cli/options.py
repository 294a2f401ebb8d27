"""Kinds of flags, and the flags that several commands share."""

from __future__ import annotations

from nacre.cli.flags import Flag, Given, Kind

PROGRESS_KINDS = ("auto", "bars", "plain", "json", "quiet")
_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})
_FALSE = frozenset({"0", "f", "F", "false", "False", "FALSE"})


def _boolean(text: str) -> bool:
    if text not in _TRUE | _FALSE:
        raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    return text in _TRUE


def _filter(text: str) -> str:
    if text and "=" not in text:  # scripts give an empty one for none
        raise ValueError("bad format of filter (expected name=value)")
    return text


_SWITCH = Kind("", _boolean, written=lambda value: str(value).lower())
_STRING = Kind("string", str)
_LIST = Kind("list", str, repeats=True)
_FILTER = Kind("filter", _filter, repeats=True)


def switch(name: str, text: str, short: str = "", *, default: bool = False) -> Flag:
    """Return a flag that is true when given, and takes ``=false``."""
    return Flag(name, _SWITCH, default, text, short)


def string(name: str, text: str, short: str = "", *, default: str = "") -> Flag:
    """Return a flag with a text."""
    return Flag(name, _STRING, default, text, short)


def integer(name: str, text: str, short: str = "", *, default: int, least: int, most: int) -> Flag:
    """Return a flag with a whole number of a range."""

    def read(number: str) -> int:
        value = _integer(number)
        if not least <= value <= most:
            raise ValueError(f"must be from {least} to {most}")
        return value

    return Flag(name, Kind("int", read), default, text, short)


def optional_integer(name: str, text: str) -> Flag:
    """Return a flag with a whole number, None when it is not given."""
    return Flag(name, Kind("int", _integer), None, text)


def _integer(number: str) -> int:
    if not number.isascii() or not number.removeprefix("-").isdigit():
        raise ValueError(f'strconv.ParseInt: parsing "{number}": invalid syntax')
    return int(number)


def strings(name: str, text: str, short: str = "") -> Flag:
    """Return a flag that may be given several times, with a text each time."""
    return Flag(name, _LIST, (), text, short)


def choice(name: str, text: str, choices: tuple[str, ...]) -> Flag:
    """Return a flag with one of a few words, the first of which is the default."""

    def read(word: str) -> str:
        if word not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return word

    return Flag(name, Kind("string", read, choices=choices), choices[0], text)


def filters(short: str = "", *, text: str = "Filter output based on conditions provided") -> Flag:
    """Return ``--filter``."""
    return Flag("filter", _FILTER, (), text, short)


def format_(short: str = "") -> Flag:
    """Return ``--format`` of the commands that show one thing."""
    return string("format", "Format output: 'json' or a Go template", short)


def without_content_trust(text: str) -> Flag:
    """Return the flag by which scripts tell Docker not to ask a notary: nacre never does."""

    def read(word: str) -> bool:
        if not _boolean(word):
            raise ValueError("there is no content trust here")
        return True

    return Flag("disable-content-trust", Kind("", read, written=_SWITCH.written), True, text)


def confirmation() -> Flag:
    """Return ``--force`` of the commands that ask first."""
    return switch("force", "Do not prompt for confirmation", "f")


HELP = Flag("help", _SWITCH, default=False, text="Print usage", old_short="h")
GLOBAL_FLAGS = (
    string("config", "Settings file to use in place of the user's"),
    switch("debug", "Show the traceback of an error", "D"),
    HELP,
    string("root", "Folder of the local store"),
    string("storage-driver", "Storage driver to use: erofs, overlay, fuse or copying"),
    switch("version", "Print version information and quit", "v"),
)
"""The flags before any command."""

QUIET = switch("quiet", "Suppress verbose output", "q")
QUIET_IDS = switch("quiet", "Only show image IDs", "q")
NO_TRUNC = switch("no-trunc", "Don't truncate output")
TABLE_FORMAT = string(
    "format", "Format output: 'table', 'table TEMPLATE', 'json' or a Go template per row"
)
PLATFORM = string("platform", 'Platform of a multi-platform image (e.g., "linux/arm64")')
PLATFORMS = (
    string("platform", "Platforms of a multi-platform image, separated by commas"),
    switch("all-platforms", "All platforms of a multi-platform image"),
)
PROGRESS = (
    QUIET,
    choice("progress", "How to show progress: auto, bars, plain, json or quiet", PROGRESS_KINDS),
)


def platforms_of(given: Given, default: str | None = None) -> str | None:
    """Return the platforms that the flags name, ``"all"``, or the default."""
    return "all" if given.all_platforms else given.platform or default
