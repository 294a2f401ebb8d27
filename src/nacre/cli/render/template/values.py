"""Template values and how Go prints them.

A value is None, a bool, int, float or str, a list (Go's slice), a mapping (Go's map) or a
:class:`Struct`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from nacre.value import Value

NIL_SLICE: tuple[object, ...] = ()
"""A slice that is not there: it prints as an empty one, but as JSON it is null."""

NIL_MAP: Mapping[str, object] = MappingProxyType({})
"""A map that is not there."""

_SECOND = 1_000_000_000
_BELOW_A_SECOND = (("ms", 1_000_000), ("µs", 1_000), ("ns", 1))
_ESCAPES = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
    "\\": r"\\", '"': r"\"",
}  # fmt: skip


class _NilPointer:
    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "<nil>"


NIL_POINTER = _NilPointer()
"""A struct that is not there: unlike None it has no fields at all."""

NILS = (NIL_SLICE, NIL_MAP, NIL_POINTER)


class Struct(Value):
    """Named fields in a fixed order: asking for another one is an error, unlike with a map.

    ``absent`` holds fields that JSON leaves out because they are empty, but that templates may
    still name and that are printed: Go gives their zero values. It may name all fields of the
    type, in the order of the type. ``aliases`` are further names for what is there.
    """

    name: str
    fields: Mapping[str, object]
    absent: Mapping[str, object] = NIL_MAP
    aliases: Mapping[str, object] = NIL_MAP

    def members(self) -> Iterable[object]:
        """Return the values of all fields, in the order of the type as far as it is known."""
        return {**self.absent, **self.fields}.values()


class Row(Struct):
    """A line of a list, whose JSON has HTML escapes."""

    __slots__ = ()


class Named:
    """What has a type of its own in Go, though it is a number or a text here."""

    __slots__ = ()
    go_type = ""


class Stringer(Named):
    """What says itself how it is printed, wherever a string may stand."""

    __slots__ = ()


class Int64(Named, int):
    """A number of 64 bits on every machine, as sizes are."""

    __slots__ = ()
    go_type = "int64"


class Moment(Stringer, str):
    """A time: JSON has it as written, RFC 3339 in UTC, templates print it as Go does."""

    __slots__ = ()
    go_type = "time.Time"

    def __str__(self) -> str:
        return f"{self[:10]} {self[11:-1]} +0000 UTC"


class Duration(Stringer, int):
    """A span of time in nanoseconds: JSON has the number, templates print it as Go does: 1m30s."""

    __slots__ = ()
    go_type = "time.Duration"

    def __str__(self) -> str:
        sign, count = "-" if self < 0 else "", abs(self)
        for unit, size in _BELOW_A_SECOND:
            if size <= count < _SECOND:
                return f"{sign}{_decimal(count, size)}{unit}"
        hours, rest = divmod(count, 3600 * _SECOND)
        minutes, rest = divmod(rest, 60 * _SECOND)
        large = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
        return f"{sign}{large}{_decimal(rest, _SECOND)}s"


def _decimal(count: int, size: int) -> str:
    """Return ``count / size`` with as many decimals as it has; ``size`` is a power of ten."""
    whole, rest = divmod(count, size)
    return f"{whole}.{str(size + rest)[1:].rstrip('0')}" if rest else str(whole)


_TYPE_NAMES: Mapping[type, str] = {
    type(None): "nil",
    bool: "bool",
    int: "int",
    float: "float64",
    str: "string",
}


def printed(value: object) -> str:
    """Return a value as Go's ``%v`` does within others: ``[a b]``, ``map[k:v]``, ``<nil>``."""
    match value:
        case list() | tuple():
            return f"[{' '.join(map(printed, value))}]"
        case Struct():
            return f"{{{' '.join(map(printed, value.members()))}}}"
        case Mapping():
            return f"map[{' '.join(f'{printed(k)}:{printed(v)}' for k, v in in_order(value))}]"
        case float():
            return _shortest(value)
        case None | bool():
            return {None: "<nil>", True: "true", False: "false"}[value]
        case _:
            return str(value)


def in_order(value: Mapping[object, object]) -> list[tuple[object, object]]:
    """Return the items of a map in the order that Go ranges over them: by key."""
    return sorted(value.items(), key=lambda item: str(item[0]))


def truth(value: object) -> bool:
    """Say whether ``if`` takes a value for true: anything but Go's zero values."""
    return isinstance(value, Struct) or bool(value)


def type_name(value: object) -> str:
    """Return the name of the Go type that a value would have."""
    if isinstance(value, Struct):
        return value.name
    if isinstance(value, Named):
        return value.go_type
    if isinstance(value, list | tuple):
        return "[]string" if is_strings(value) else "[]interface {}"
    # What a document holds may be more than a text or a number, such as a digest.
    known = (_TYPE_NAMES[kind] for kind in type(value).__mro__ if kind in _TYPE_NAMES)
    return next(known, "map[string]interface {}")


def is_strings(value: object) -> bool:
    """Say whether a value is a list of nothing but strings."""
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def quote(text: str, *, ascii_only: bool = False) -> str:
    r"""Return a string in Go's double quotes, with escapes for what does not print."""
    return f'"{"".join(_quoted(character, ascii_only=ascii_only) for character in text)}"'


def _quoted(character: str, *, ascii_only: bool) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() and (character.isascii() or not ascii_only):
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _shortest(value: float) -> str:
    """Return a float as Go's ``%v``: the fewest digits that name it, exponents from 1e+06."""
    scientific = next(
        text for text in (f"{value:.{digits}e}" for digits in range(18)) if float(text) == value
    )
    exponent = int(scientific.partition("e")[2])
    return repr(value).removesuffix(".0") if -4 <= exponent < 6 else scientific
