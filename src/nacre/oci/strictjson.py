"""Reading JSON that names content: every ambiguity is refused, every size bounded.

Two readers that understand one document differently are two images under one digest
(the manifest-confusion family, CVE-2021-41190), so duplicate keys, NaN, numbers out of range,
halves of surrogate pairs and trailing text are errors, and so are keys that readers which ignore
case would take for one another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from nacre.errors import Invalid
from nacre.oci.quoting import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    Object = dict[str, Any]

MANIFEST_LIMIT = 4 * 1024 * 1024
"""The largest manifest, index or config read into memory, in bytes (distribution-spec)."""

_DEPTH_LIMIT = 100
# Far above what any manifest needs, far below what re-encoding would need a deep stack for.


class InvalidJSON(Invalid):
    """The bytes are not the JSON object that they must be."""

    usual_remedy = "have whoever made it make it again"


def parse_object(raw: bytes, what: str, *, limit: int = MANIFEST_LIMIT) -> Object:
    """Return the JSON object that ``raw`` holds; ``what`` names it in errors.

    Raises:
        InvalidJSON: over ``limit`` bytes, not UTF-8, not JSON, not an object, nested absurdly
            deep, with a key twice in one object or with a value that JSON cannot carry.
    """
    if len(raw) > limit:
        raise InvalidJSON(f"{what} is larger than {limit} bytes")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        if _may_hold_surrogates(raw):
            encode(value)
    except InvalidJSON as error:
        raise InvalidJSON(f"{what} {error}") from None
    except RecursionError:
        raise InvalidJSON(f"{what} is nested too deep") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidJSON(f"{what} is not valid JSON: {error}") from None
    except ValueError:  # what int() says of more digits than CPython reads
        raise InvalidJSON(f"{what} holds a number that is too long") from None
    if not isinstance(value, dict):
        raise InvalidJSON(f"{what} is not a JSON object")
    if _too_deep(value):
        raise InvalidJSON(f"{what} is nested too deep")
    return value


def check_keys(fields: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    """Check that no key is a ``known`` one in other capitals.

    Readers written in Go take ``Layers`` for ``layers``; a document with either, or both, would
    mean one thing to them and another to everybody else.

    Raises:
        InvalidJSON: there is such a key.
    """
    spelled = {key.casefold(): key for key in known}
    for key in fields:
        meant = spelled.get(key.casefold(), key)
        if meant != key:
            raise InvalidJSON(f"{what} has the key {quoted(key)}, which must be spelled {meant!r}")


def encode(value: object) -> bytes:
    """Return compact JSON in the order given: how nacre writes content of its own.

    Raises:
        InvalidJSON: a text holds half a surrogate pair, as arguments that are not UTF-8 do.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidJSON("holds text that is not Unicode") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Object:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidJSON(f"has the key {quoted(key)} twice")
            seen.add(key)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJSON(f"holds {name}, which is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InvalidJSON("holds a number out of range")
    return number


def _may_hold_surrogates(raw: bytes) -> bool:
    """Only an escape can smuggle in half a surrogate pair, which then cannot be encoded."""
    return b"\\ud" in raw or b"\\uD" in raw


def _too_deep(value: Object) -> bool:
    level: list[Any] = [value]
    for _ in range(_DEPTH_LIMIT):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
