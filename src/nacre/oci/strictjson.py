"""Reading JSON that names content: every ambiguity is refused, every size bounded.

Two readers that understand one document differently are two images under one digest
(the manifest-confusion family, CVE-2021-41190), so duplicate keys, NaN and trailing text
are errors.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from nacre.errors import Invalid

MANIFEST_LIMIT = 4 * 1024 * 1024
"""The largest manifest, index or config read into memory, in bytes (distribution-spec)."""

Object = dict[str, Any]


class InvalidJSON(Invalid):
    """The bytes are not the JSON object that they must be."""


def parse_object(raw: bytes, what: str, *, limit: int = MANIFEST_LIMIT) -> Object:
    """Return the JSON object that ``raw`` holds; ``what`` names it in errors.

    Raises:
        InvalidJSON: over ``limit`` bytes, not UTF-8, not JSON, not an object, nested absurdly
            deep, or with a key twice in one object.
    """
    if len(raw) > limit:
        raise InvalidJSON(f"{what} is larger than {limit} bytes")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
        )
    except InvalidJSON as error:
        raise InvalidJSON(f"{what} {error}") from None
    except RecursionError:
        raise InvalidJSON(f"{what} is nested too deep") from None
    except ValueError as error:
        raise InvalidJSON(f"{what} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidJSON(f"{what} is not a JSON object")
    return value


def encode(value: object) -> bytes:
    """Return compact JSON in the order given: how nacre writes content of its own."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Object:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidJSON(f"has the key {twice!r} twice")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJSON(f"holds {name}, which is not JSON")
