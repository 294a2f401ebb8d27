"""``eq ne lt le gt ge``: Go's comparisons, which refuse to compare different kinds."""

from __future__ import annotations

from nacre.cli.render.template.errors import FunctionError
from nacre.cli.render.template.values import printed, type_name

_ORDERED = frozenset({"int", "float64", "string"})


def equal(first: object, *others: object) -> bool:
    """Say whether the first value equals any of the others."""
    if not others:
        raise FunctionError("missing argument for comparison")
    return any(_equal(first, other) for other in others)


def _equal(first: object, second: object) -> bool:
    if first is None or second is None:
        return first is second
    for value in (first, second):
        if isinstance(value, list | tuple | dict):
            raise FunctionError(f"non-comparable type {printed(value)}: {type_name(value)}")
    if _kind(first) != _kind(second):
        raise FunctionError("incompatible types for comparison")
    return first == second


def not_equal(first: object, second: object) -> bool:
    """Say whether two values differ."""
    return not equal(first, second)


def less(first: object, second: object) -> bool:
    """Say whether the first of two numbers or strings comes before the second."""
    kinds = (_kind(first), _kind(second))
    if not _ORDERED.issuperset(kinds):
        raise FunctionError("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise FunctionError("incompatible types for comparison")
    return bool(first < second)  # type: ignore[operator] # both are of one ordered type


def less_or_equal(first: object, second: object) -> bool:
    """Say whether the first value comes before the second or equals it."""
    return less(first, second) or equal(first, second)


def greater(first: object, second: object) -> bool:
    """Say whether the first value comes after the second."""
    return not less_or_equal(first, second)


def greater_or_equal(first: object, second: object) -> bool:
    """Say whether the first value comes after the second or equals it."""
    return not less(first, second)


def _kind(value: object) -> str:
    """Return the type that a value is compared as: whole numbers of all types are one to Go."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return "int" if whole else type_name(value)
