"""The words of an instruction: quotes, escapes and variables, as Dockerfiles have them.

Reading happens in two steps, as Docker does it. ``split`` finds where words end, keeping quotes
and escapes as they are; ``expand`` then resolves them in one word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from nacre.errors import Invalid

_VARIABLE = re.compile(
    r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^{}]*))?\})"
)
_ESCAPABLE_IN_QUOTES = '"$\\'


class InvalidWord(Invalid):
    """A quote is not closed, or a variable is written in a way that is not understood."""


def split(text: str) -> list[str]:
    """Return the words of a text, quotes and escapes kept; only unquoted blanks separate."""
    words: list[str] = []
    word, quote, position = "", "", 0
    while position < len(text):
        character = text[position]
        step = 1
        if character == "\\" and quote != "'":
            step = 2
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        if character.isspace() and not quote:
            if word:
                words.append(word)
            word = ""
        else:
            word += text[position : position + step]
        position += step
    return [*words, word] if word else words


def expand(word: str, variables: Mapping[str, str]) -> str:
    """Return a word with quotes and escapes resolved and variables put in.

    ``$name``, ``${name}``, ``${name:-default}``, ``${name:+instead}`` and both without the colon
    are known; in single quotes and after a backslash a ``$`` is just that.

    Raises:
        InvalidWord: a quote is not closed, or ``$`` is followed by something else in braces.
    """
    result, quote, position = "", "", 0
    while position < len(word):
        character = word[position]
        if character == "\\" and quote != "'":
            following = word[position + 1 : position + 2]
            keep = quote and following not in _ESCAPABLE_IN_QUOTES
            result += character + following if keep else following
            position += 2
        elif character in "\"'" and quote in ("", character):
            quote = "" if quote else character
            position += 1
        elif character == "$" and quote != "'":
            value, position = _variable(word, position, variables)
            result += value
        else:
            result += character
            position += 1
    if quote:
        raise InvalidWord(f"a quotation mark {quote} is not closed")
    return result


def _variable(word: str, position: int, variables: Mapping[str, str]) -> tuple[str, int]:
    match = _VARIABLE.match(word, position)
    if match is None:
        if word.startswith("${", position):
            raise InvalidWord("a variable in braces is not understood")
        return "$", position + 1
    plain, braced, operator, alternative = match.groups()
    name = plain or braced
    value = variables.get(name)
    is_set = bool(value) if operator in (":-", ":+") else value is not None
    if operator in (":-", "-") and not is_set:
        value = expand(alternative, variables)
    elif operator in (":+", "+"):
        value = expand(alternative, variables) if is_set else ""
    return value or "", match.end()
