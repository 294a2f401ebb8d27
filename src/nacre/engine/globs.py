"""Patterns of names, by the grammar of Go's ``path.Match``, which Docker filters names with.

``*`` is any text without a slash, ``?`` one character but a slash, ``[a-c]`` one of a class and
``[^a-c]`` one that is not of it, a slash too; a backslash takes the next character for itself.
"""

from __future__ import annotations

import re

from nacre.errors import Invalid
from nacre.oci.quoting import quoted


class BadPattern(Invalid):
    """The text is no pattern."""

    usual_remedy = "close what [ opens, and put a backslash before a [ that is meant so"


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a regular expression that matches just the names, whole, that suit the pattern.

    Raises:
        BadPattern: it breaks the grammar.
    """
    first, *others = _between_stars(pattern)
    if others:
        # As in Go, text after a star is sought once, from the left: else many stars take ages.
        sought = (f"(?>[^/]*?{each})" for each in others[:-1])
        first += f"{''.join(sought)}[^/]*?{others[-1]}"
    return re.compile(first, re.DOTALL)


def _between_stars(pattern: str) -> list[str]:
    """Return expressions for what stands before, between and after the stars."""
    rest = _Rest(pattern)
    found = [""]
    while rest.text:
        match rest.take():
            case "*":
                found.append("")
            case "?":
                found[-1] += "[^/]"
            case "[":
                found[-1] += _class(rest)
            case "\\":
                found[-1] += re.escape(rest.take())
            case character:
                found[-1] += re.escape(character)
    return found


def _class(rest: _Rest) -> str:
    negated = rest.take_if("^")
    ranges: list[str] = []
    while not (ranges and rest.take_if("]")):
        low = _member(rest)
        high = _member(rest) if rest.take_if("-") else low
        # There is nothing between c and a: no error to Go, nor a match.
        ranges.append(f"[{re.escape(low)}-{re.escape(high)}]" if low <= high else "(?!)")
    members = "|".join(ranges)
    return f"(?!{members})." if negated else f"(?:{members})"


def _member(rest: _Rest) -> str:
    character = rest.take()
    if character in "-]":
        raise rest.bad
    return rest.take() if character == "\\" else character


class _Rest:
    """What is still to be read of a pattern."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.bad = BadPattern(f"syntax error in pattern {quoted(pattern)}")

    def take(self) -> str:
        """Return the next character.

        Raises:
            BadPattern: there is none, but must be.
        """
        if not self.text:
            raise self.bad
        character, self.text = self.text[0], self.text[1:]
        return character

    def take_if(self, wanted: str) -> bool:
        """Take the next character if it is the wanted one, and say whether it was."""
        is_next = self.text.startswith(wanted)
        if is_next:
            self.take()
        return is_next
