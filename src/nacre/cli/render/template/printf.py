"""Go's fmt verbs, as far as templates use them.

Unlike with Python's ``%`` nothing here fails: what does not fit is said in the output, such as
``%!d(string=x)``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nacre.cli.render.template.values import Stringer, Struct, in_order, printed, quote, type_name

_VERB = re.compile(
    r"%([-+# 0]*)(?:\[(\d+)\])?(\*|\d+)?(?:(\.)(\*|\d*))?(?:\[(\d+)\])?(.)?", re.DOTALL | re.ASCII
)
_WIDTH_DIGITS = 6
_DIGITS = {"b": "b", "o": "o", "O": "o", "x": "x", "X": "X", "d": "d"}
_PREFIXES = {"O": "0o"}
_SHARP_PREFIXES = {"b": "0b", "o": "0", "O": "0o", "x": "0x", "X": "0X"}


@dataclass(frozen=True, slots=True)
class _Verb:
    letter: str
    flags: str
    width: int
    precision: int | None


def sprint(values: Sequence[object]) -> str:
    """Return the values as Go's Sprint: a space between two values if neither is a string."""
    text = ""
    for index, value in enumerate(values):
        between = index and not isinstance(value, str) and not isinstance(values[index - 1], str)
        text += f"{' ' if between else ''}{printed(value)}"
    return text


def sprintf(template: str, values: Sequence[object]) -> str:
    """Return the template with each verb replaced by a value, as Go's Sprintf."""
    arguments = _Arguments(values)
    out: list[str] = []
    position = 0
    for match in _VERB.finditer(template):
        out += template[position : match.start()], _replaced(match, arguments)
        position = match.end()
    return "".join([*out, template[position:], arguments.rest()])


class _Arguments:
    """The values of one Sprintf and how far they are used."""

    def __init__(self, values: Sequence[object]) -> None:
        self._values = values
        self._index = 0
        self._reordered = False

    def select(self, number: str | None) -> None:
        """Go to the value that an explicit index such as ``[2]`` names."""
        if number is not None:
            self._index, self._reordered = int(number[:9]) - 1, True

    def number(self, text: str | None) -> str:
        """Return a width or precision; for ``*`` the next value, or a text too long if unfit."""
        if text != "*":
            return text or ""
        value = self._values[self._index] if self.left() else None
        self._index += 1
        return str(value) if type(value) is int else "*" * (_WIDTH_DIGITS + 1)

    def left(self) -> bool:
        """Say whether there is a value to take."""
        return 0 <= self._index < len(self._values)

    def take(self) -> object:
        """Return the next value."""
        self._index += 1
        return self._values[self._index - 1]

    def missing(self) -> str:
        """Return why there is no value to take."""
        return "BADINDEX" if self._reordered else "MISSING"

    def rest(self) -> str:
        """Return Go's complaint about values that no verb used."""
        if self._reordered or not self.left():
            return ""
        return f"%!(EXTRA {', '.join(map(_with_type, self._values[self._index :]))})"


def _replaced(match: re.Match[str], arguments: _Arguments) -> str:
    flags, before, width, dot, precision, after, letter = match.groups()
    columns = arguments.number(width)
    places = arguments.number(precision)
    if letter in {"%", None}:
        return "%" if letter else "%!(NOVERB)"
    arguments.select(before or after)
    if not arguments.left():
        return f"%!{letter}({arguments.missing()})"
    value = arguments.take()
    if max(len(columns), len(places)) > _WIDTH_DIGITS:
        return "%!(BADWIDTH)" if len(columns) > _WIDTH_DIGITS else "%!(BADPREC)"
    flags += "-" if columns.startswith("-") else ""
    verb = _Verb(letter, flags, abs(int(columns or 0)), abs(int(places or 0)) if dot else None)
    return _formatted(verb, value)


def _formatted(verb: _Verb, value: object) -> str:
    match value:
        case _ if verb.letter == "T":
            return _padded(verb, type_name(value), number=False)
        case list() | tuple():
            return f"[{' '.join(_formatted(verb, item) for item in value)}]"
        case Struct():
            return f"{{{' '.join(_formatted(verb, item) for item in value.members())}}}"
        case Mapping():
            pairs = (f"{_formatted(verb, k)}:{_formatted(verb, v)}" for k, v in in_order(value))
            return f"map[{' '.join(pairs)}]"
        case _:
            return _scalar(verb, value)


def _scalar(verb: _Verb, value: object) -> str:
    text: str | None = None
    if isinstance(value, Stringer) and verb.letter in "svqxX":
        value = str(value)
    if isinstance(value, str):
        text = _string(verb, value)
    elif isinstance(value, bool):
        text = printed(value) if verb.letter in "tv" else None
    elif isinstance(value, int):
        text = _integer(verb, value)
    elif isinstance(value, float):
        text = _float(verb, value)
    elif verb.letter == "v":
        text = printed(value)
    if text is None:
        return f"%!{verb.letter}({_with_type(value)})"
    return _padded(verb, text, number=isinstance(value, float | int) and verb.letter not in "qc")


def _string(verb: _Verb, value: str) -> str | None:
    text = value if verb.precision is None else value[: verb.precision]
    match verb.letter:
        case "s" | "v":
            return text
        case "q" if "#" in verb.flags and "`" not in text and text.isprintable():
            return f"`{text}`"
        case "q":
            return quote(text, ascii_only="+" in verb.flags)
        case "x" | "X":
            encoded = text.encode("utf-8", "surrogatepass").hex()
            return encoded.upper() if verb.letter == "X" else encoded
        case _:
            return None


def _integer(verb: _Verb, value: int) -> str | None:
    letter = "d" if verb.letter == "v" else verb.letter
    if letter in _DIGITS:
        digits = f"{abs(value):{_DIGITS[letter]}}".rjust(verb.precision or 0, "0")
        prefix = (_SHARP_PREFIXES if "#" in verb.flags else _PREFIXES).get(letter, "")
        return f"{_sign(verb, negative=value < 0)}{prefix}{digits}"
    if letter not in {"c", "q", "U"}:
        return None
    valid = 0 <= value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF
    character = chr(value) if valid else "\ufffd"
    if letter == "q":
        return f"'{quote(character)[1:-1]}'"
    return character if letter == "c" else f"U+{value:04X}"


def _float(verb: _Verb, value: float) -> str | None:
    if verb.letter not in "eEfFgGv":
        return None
    sign = _sign(verb, negative=str(value).startswith("-"))
    if verb.letter in "gGv" and verb.precision is None:
        text = printed(abs(value))
        return f"{sign}{text.upper() if verb.letter == 'G' else text}"
    places = 6 if verb.precision is None else verb.precision
    return f"{sign}{abs(value):.{places}{verb.letter.replace('v', 'g')}}"


def _sign(verb: _Verb, *, negative: bool) -> str:
    if negative:
        return "-"
    return "+" if "+" in verb.flags else " " if " " in verb.flags else ""


def _padded(verb: _Verb, text: str, *, number: bool) -> str:
    if "-" in verb.flags:
        return text.ljust(verb.width)
    if "0" not in verb.flags or not number:
        return text.rjust(verb.width)
    sign = text[:1] if text[:1] in {"-", "+", " "} else ""
    return sign + text[len(sign) :].rjust(verb.width - len(sign), "0")


def _with_type(value: object) -> str:
    return "<nil>" if value is None else f"{type_name(value)}={printed(value)}"
