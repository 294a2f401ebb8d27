"""Reading ``WWW-Authenticate`` (RFC 9110 section 11.6.1): what a server wants before it answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nacre.distribution.errors import InvalidReply
from nacre.value import NOTHING, Value

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x20-\x7e\t])*)"'
_SCHEME = re.compile(rf"\s*({_WORD})(?:[ \t]+|(?=\s*(?:,|$)))")
_PARAMETER = re.compile(rf"[ \t]*({_WORD})[ \t]*=[ \t]*(?:{_QUOTED}|({_WORD}))[ \t]*(?=,|$)")
_TOKEN68 = re.compile(r"[ \t]*[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_LIMIT = 8192


class Challenge(Value):
    """One way to authenticate: a scheme in lower case, and its parameters by lower-case name."""

    scheme: str
    parameters: Mapping[str, str] = NOTHING


def parse(values: Iterable[str]) -> list[Challenge]:
    """Return all challenges of the given fields, in order.

    Raises:
        InvalidReply: a field breaks the grammar, is too long, or has a parameter twice.
    """
    return [challenge for value in values for challenge in _parse_one(value)]


def _parse_one(value: str) -> list[Challenge]:
    if len(value) > _LIMIT:
        raise InvalidReply("a WWW-Authenticate field is too long")
    challenges: list[Challenge] = []
    position = _skip_commas(value, 0)
    while position < len(value):
        scheme = _SCHEME.match(value, position)
        separated = not challenges or value[:position].rstrip(" \t").endswith(",")
        if not scheme or not separated:
            raise _broken(value)
        parameters, position = _parameters(value, scheme.end())
        challenges.append(Challenge(scheme.group(1).lower(), parameters))
        position = _skip_commas(value, position)
    return challenges


def _parameters(value: str, position: int) -> tuple[dict[str, str], int]:
    """Return the parameters that start at ``position``, and where the next challenge begins."""
    parameters: dict[str, str] = {}
    while match := _PARAMETER.match(value, position):
        name = match.group(1).lower()
        if name in parameters:
            raise _broken(value)
        quoted, plain = match.group(2), match.group(3)
        parameters[name] = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = _skip_commas(value, match.end())
    if not parameters and (token := _TOKEN68.match(value, position)):
        position = token.end()
    return parameters, position


def _skip_commas(value: str, position: int) -> int:
    while match := _COMMA.match(value, position):
        position = match.end()
    return position


def _broken(value: str) -> InvalidReply:
    return InvalidReply(f"a WWW-Authenticate field cannot be read: {value[:200]!r}")
