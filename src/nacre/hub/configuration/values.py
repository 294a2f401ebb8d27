"""What a setting is when it is written down: of the type that its default has."""

from __future__ import annotations

import re
from datetime import timedelta

from nacre.errors import Invalid
from nacre.hub.configuration import units
from nacre.hub.configuration.options import Size


def from_text(default: object, text: str) -> object:
    """Return the value that a text means, as the environment has it; lists have commas.

    Raises:
        Invalid: it means none of this type.

    >>> from_text(1, "4"), from_text(True, "no"), from_text((), "a, b"), from_text(Size(0), "1kB")
    (4, False, ('a', 'b'), 1000)
    """
    match default:
        case bool():
            if text.lower() not in {"true", "false", "1", "0", "yes", "no"}:
                raise Invalid(f"{text!r} is neither true nor false")
            return text.lower() in {"true", "1", "yes"}
        case tuple():
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case timedelta():
            return units.duration(text)
        case Size():
            return Size(units.size(text))
        case int():
            if not re.fullmatch(r"[0-9]{1,9}", text):
                raise Invalid(f"{text!r} is not a whole number")
            return int(text)
        case _:
            return text


def from_toml(default: object, value: object) -> object:
    """Return the value that one of the file means; sizes and times may be texts.

    Raises:
        Invalid: it is of another type.

    >>> from_toml(Size(0), "1kB"), from_toml(Size(0), 1000), from_toml((), ["a"])
    (1000, 1000, ('a',))
    """
    match default, value:
        case bool(), bool():
            return value
        case tuple(), list() if all(isinstance(each, str) for each in value):
            return tuple(value)
        case Size(), int() if not isinstance(value, bool) and value >= 0:
            return Size(value)
        case ((Size() | timedelta()), str()):
            return from_text(default, value)
        case int(), int() if not isinstance(default, bool | Size) and not isinstance(value, bool):
            return value
        case str(), str():
            return value
    kinds = {bool: "true or false", tuple: "a list of texts", int: "a whole number", str: "a text"}
    wanted = kinds.get(type(default), "a text like '10GB' or '24h'")
    raise Invalid(f"{value!r} is not {wanted}")
