"""The functions that templates may call: Go's own and Docker's.

A function raises :class:`FunctionError` with what Go says after "error calling NAME: ".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from nacre.cli.render import json
from nacre.cli.render.template import comparison, escaping
from nacre.cli.render.template.errors import FunctionError
from nacre.cli.render.template.printf import sprint, sprintf
from nacre.cli.render.template.signature import Signature
from nacre.cli.render.template.values import printed, truth, type_name

_REPEAT_LIMIT = 1_000_000


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _join(items: Sequence[str] | None, separator: str) -> str:
    return separator.join(items or ())


def _title(text: str) -> str:
    words, inside = [], False
    for character in text:
        words.append(character if inside else _upper(character))
        inside = character == "_" or character.isalnum()
    return "".join(words)


def _lower(text: str) -> str:
    return "".join(_one(character.lower(), character) for character in text)


def _upper(text: str) -> str:
    return "".join(_one(character.upper(), character) for character in text)


def _one(changed: str, character: str) -> str:
    # Go maps code points one by one and never changes their number.
    return changed if len(changed) == 1 else character


def _pad(text: str, before: int, after: int) -> str:
    if min(before, after) < 0:
        raise FunctionError("strings: negative Repeat count")
    if max(before, after) > _REPEAT_LIMIT:
        raise FunctionError("strings: Repeat output length overflow")
    return f"{' ' * before}{text}{' ' * after}" if text else text


def _truncate(text: str, length: int) -> str:
    raw = _bytes(text)
    if length < 0:
        raise FunctionError(f"runtime error: slice bounds out of range [:{length}]")
    return text if len(raw) < length else raw[:length].decode("utf-8", "replace")


def _printf(template: str, *values: object) -> str:
    return sprintf(template, values)


def _print(*values: object) -> str:
    return sprint(values)


def _println(*values: object) -> str:
    return f"{' '.join(map(printed, values))}\n"


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(_bytes(value))
    if isinstance(value, list | tuple | Mapping):
        return len(value)
    raise FunctionError(
        "len of nil pointer" if value is None else f"len of type {type_name(value)}"
    )


def _index(value: object, *indices: object) -> object:
    if value is None:
        raise FunctionError("index of untyped nil")
    for index in indices:
        value = _item(value, index)
    return value


def _item(value: object, index: object) -> object:
    match value:
        case str():
            return _bytes(value)[_inside(index, len(_bytes(value)), "string")]
        case list() | tuple():
            return value[_inside(index, len(value), "slice")]
        case None:
            raise FunctionError("index of nil pointer")
        case Mapping():
            if not isinstance(index, str):
                got = "value is nil" if index is None else f"value has type {type_name(index)}"
                raise FunctionError(f"{got}; should be string")
            return value.get(index, _zero_like(value))
        case _:
            raise FunctionError(f"can't index item of type {type_name(value)}")


def _zero_like(value: Mapping[object, object]) -> str | None:
    """Return what a missing key holds: "" in a map of strings, as labels and options are."""
    return "" if all(isinstance(item, str) for item in value.values()) else None


def _slice(value: object, *indices: object) -> object:
    if value is None:
        raise FunctionError("slice of untyped nil")
    if len(indices) > 3:
        raise FunctionError(f"too many slice indexes: {len(indices)}")
    if not isinstance(value, str | list | tuple):
        raise FunctionError(f"can't slice item of type {type_name(value)}")
    if isinstance(value, str) and len(indices) == 3:
        raise FunctionError("cannot 3-index slice a string")
    items = _bytes(value) if isinstance(value, str) else value
    bounds = [_position(index, len(items) + 1) for index in indices]
    for low, high in pairwise(bounds):
        if low > high:
            raise FunctionError(f"invalid slice index: {low} > {high}")
    found = items[slice(*bounds[:2])] if len(bounds) > 1 else items[sum(bounds) :]
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def _inside(index: object, length: int, what: str) -> int:
    """Return an index that is checked; Go words it differently when it is off by one."""
    position = _position(index, length + 1)
    if position == length:
        raise FunctionError(f"reflect: {what} index out of range")
    return position


def _position(index: object, length: int) -> int:
    if not isinstance(index, int) or isinstance(index, bool):
        got = "nil" if index is None else f"type {type_name(index)}"
        raise FunctionError(f"cannot index slice/array with {got}")
    if not 0 <= index < length:
        raise FunctionError(f"index out of range: {index}")
    return index


def _bytes(text: str) -> bytes:
    # Go's strings are bytes: their lengths and positions count UTF-8.
    return text.encode("utf-8", "surrogatepass")


def _not(value: object) -> bool:
    return not truth(value)


def _json(value: object) -> str:
    return json.compact(value)


def _call(name: str, value: object, *_arguments: object) -> object:
    # No value is a function here, nor is any in what Docker shows.
    if value is None:
        raise FunctionError("call of nil")
    raise FunctionError(f"non-function {name} of type {type_name(value)}")


FUNCTIONS: Mapping[str, Signature] = {
    "json": Signature(_json, ("any",)),
    "split": Signature(_split, ("string", "string")),
    "join": Signature(_join, ("[]string", "string")),
    "title": Signature(_title, ("string",)),
    "lower": Signature(_lower, ("string",)),
    "upper": Signature(_upper, ("string",)),
    "pad": Signature(_pad, ("string", "int", "int")),
    "truncate": Signature(_truncate, ("string", "int")),
    "print": Signature(_print, (), "any"),
    "printf": Signature(_printf, ("string",), "any"),
    "println": Signature(_println, (), "any"),
    "index": Signature(_index, ("any",), "any"),
    "slice": Signature(_slice, ("any",), "any"),
    "len": Signature(_length, ("any",)),
    "call": Signature(_call, ("any",), "any"),
    "html": Signature(escaping.html, (), "any"),
    "js": Signature(escaping.js, (), "any"),
    "urlquery": Signature(escaping.urlquery, (), "any"),
    "not": Signature(_not, ("any",)),
    "eq": Signature(comparison.equal, ("any",), "any"),
    "ne": Signature(comparison.not_equal, ("any", "any")),
    "lt": Signature(comparison.less, ("any", "any")),
    "le": Signature(comparison.less_or_equal, ("any", "any")),
    "gt": Signature(comparison.greater, ("any", "any")),
    "ge": Signature(comparison.greater_or_equal, ("any", "any")),
}
"""Every function but ``and`` and ``or``, which evaluate only the arguments they need.

``call`` is given the source of its first argument before that itself, for its complaints.
"""


def _as_it_is(text: str, *_rest: object) -> str:
    return text


HEADER_FUNCTIONS: Mapping[str, Signature] = {
    **FUNCTIONS,
    **{name: Signature(_as_it_is, ("string",)) for name in ("json", "title", "lower", "upper")},
    **{name: Signature(_as_it_is, ("string", "string")) for name in ("split", "join")},
    "truncate": Signature(_as_it_is, ("string", "int")),
}
"""The functions for a table's header line: those that would change a column's name do not."""
