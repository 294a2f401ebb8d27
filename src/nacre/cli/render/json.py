"""JSON as Docker's commands print it: Go's escapes, four spaces in arrays.

The rows of lists have Go's HTML escapes too; everything else has not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from nacre.cli.render.template.values import NILS, Row, Struct

# Go escapes the two line separators, which end a line in old JavaScript, and cannot hold
# surrogates; all three occur inside strings only.
_ESCAPED = "[\u2028\u2029\ud800-\udfff]"
_HTML = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&"})


def compact(value: object) -> str:
    """Return a value on one line without spaces: Docker's template function ``json``."""
    text = _encoded(value, indent=None, separators=(",", ":"))
    return text.translate(_HTML) if isinstance(value, Row) else text


def inspect_array(values: Iterable[object]) -> str:
    """Return values as one array indented by four spaces: what ``inspect`` prints by default."""
    return _encoded(list(values), indent=4, separators=(",", ": ")) + "\n"


def _encoded(value: object, *, indent: int | None, separators: tuple[str, str]) -> str:
    text = json.dumps(_as_json(value), ensure_ascii=False, indent=indent, separators=separators)
    return text if text.isascii() else re.sub(_ESCAPED, _escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return "\\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def _as_json(value: object) -> object:
    if any(value is nil for nil in NILS):
        return None
    match value:
        case Struct():
            return {name: _as_json(field) for name, field in value.fields.items()}
        case Mapping():
            return {key: _as_json(item) for key, item in value.items()}
        case list() | tuple():
            return [_as_json(item) for item in value]
        case float() if value.is_integer() and abs(value) < 1e21:
            return int(value)
        case _:
            return value
