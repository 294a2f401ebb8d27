"""Flags as Go's pflag reads them, which Docker is built on: what a script types works unchanged.

``--name=value``, ``--name value``, ``-n value``, ``-nvalue`` and ``-n=value``; switches take a
value only after ``=`` (``--human=false``) and may be combined (``-aq``); flags and other words may
come in any order, and ``--`` ends the flags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nacre.errors import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BAD_FLAG = 125
"""The exit code of Docker's command line when it cannot make sense of a flag."""


class UsageError(Invalid):
    """The command line cannot be understood."""

    def __init__(self, message: str, *, exit_code: int = 1, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.exit_code = exit_code


# Plain classes: making dataclasses or named tuples of these takes longer than most commands.


class Kind:
    """A kind of value: what help calls it, how it is read from text, and the few it may be, if so.

    ``read`` raises ValueError with what is wrong; ``written`` is its inverse.
    """

    def __init__(
        self,
        word: str,
        read: Callable[[str], object],
        *,
        repeats: bool = False,
        choices: Sequence[str] = (),
        written: Callable[[Any], str] = str,
    ) -> None:
        self.word = word
        self.read = read
        self.written = written
        self.repeats = repeats
        self.choices = choices


class Flag:
    """One flag: ``--name``, and ``-s`` for short; ``text`` is what help says of it.

    ``old_short`` is understood where no other flag is so called, but help does not tell of it.
    """

    def __init__(
        self,
        name: str,
        kind: Kind,
        default: object,
        text: str,
        short: str = "",
        *,
        old_short: str = "",
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = default
        self.text = text
        self.short = short
        self.old_short = old_short

    @property
    def is_switch(self) -> bool:
        """Say whether it needs no value."""
        return self.kind.word == ""

    @property
    def forms(self) -> str:
        """All ways to write it: ``-H, --human``."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


class Given:
    """What a command line gives: each flag's value by its name, and the other words.

    The value of ``--no-trunc`` is ``given.no_trunc``; ``command`` is how the command was typed,
    and ``notes`` what the user is to be told about that, a line each.
    """

    def __init__(self, flags: Iterable[Flag], command: str) -> None:
        self.command = command
        self.words: list[str] = []
        self.notes: list[str] = []
        self._values: dict[str, Any] = {
            flag.name.replace("-", "_"): [] if flag.kind.repeats else flag.default for flag in flags
        }

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    def put(self, flag: Flag, text: str) -> None:
        """Read the value of a flag.

        Raises:
            UsageError: it is none.
        """
        try:
            value = flag.kind.read(text)
        except ValueError as error:
            raise UsageError(
                f'invalid argument "{text}" for "{flag.forms}" flag: {error}', exit_code=BAD_FLAG
            ) from None
        key = flag.name.replace("-", "_")
        if flag.kind.repeats:
            self._values[key].append(value)
        else:
            self._values[key] = value


def parse(
    flags: Sequence[Flag],
    words: Iterable[str],
    *,
    command: str = "nacre",
    until_word: bool = False,
) -> Given:
    """Read the words of a command line; with ``until_word`` flags end at the first other word.

    Raises:
        UsageError: an unknown flag, one without its value, or a value of the wrong kind.
    """
    given = Given(flags, command)
    try:
        _take_all(list(words), flags, given, until_word=until_word)
    except UsageError as error:
        error.remedy = f"see '{command} --help'"
        raise
    return given


def _take_all(rest: list[str], flags: Sequence[Flag], given: Given, *, until_word: bool) -> None:
    by_name = {flag.name: flag for flag in flags}
    by_short = {flag.old_short: flag for flag in flags if flag.old_short}
    by_short |= {flag.short: flag for flag in flags if flag.short}
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            _take_long(word, rest, by_name, given)
        elif word.startswith("-") and word != "-":
            _take_short(word, rest, by_short, given)
        else:
            given.words.append(word)
            if until_word:
                break
    given.words += rest


def _take_long(word: str, rest: list[str], known: dict[str, Flag], given: Given) -> None:
    name, equals, value = word[2:].partition("=")
    if not name or name.startswith("-"):
        raise UsageError(f"bad flag syntax: {word}", exit_code=BAD_FLAG)
    flag = known.get(name)
    if flag is None:
        raise UsageError(f"unknown flag: --{name}", exit_code=BAD_FLAG)
    if equals:
        given.put(flag, value)
    elif flag.is_switch:
        given.put(flag, "true")
    elif rest:
        given.put(flag, rest.pop(0))
    else:
        raise UsageError(f"flag needs an argument: {word}", exit_code=BAD_FLAG)


def _take_short(word: str, rest: list[str], known: dict[str, Flag], given: Given) -> None:
    letters = word[1:]
    while letters:
        letter, after = letters[0], letters[1:]
        flag = known.get(letter)
        if flag is None:
            raise UsageError(
                f"unknown shorthand flag: '{letter}' in -{letters}", exit_code=BAD_FLAG
            )
        if letter != flag.short:
            given.notes.append(f"Flag shorthand -{letter} has been deprecated, use --{flag.name}")
        if len(after) > 1 and after.startswith("="):
            given.put(flag, after[1:])
        elif flag.is_switch:
            given.put(flag, "true")
            letters = after
            continue
        elif after:
            given.put(flag, after)
        elif rest:
            given.put(flag, rest.pop(0))
        else:
            raise UsageError(
                f"flag needs an argument: '{letter}' in -{letters}", exit_code=BAD_FLAG
            )
        return
