"""Values: like frozen dataclasses in use, but quickly defined.

That type checkers see them as such is tested here too: mypy complains of every comment below that
tells it to ignore an error which it does not see.
"""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.value import Value, field, replace


class Point(Value):
    """A value with a default."""

    x: int
    y: int = 0


class Labelled(Point):
    """A value that has more fields than another, one of which is aside."""

    name: str = ""
    remark: str = field(default="none", compare=False)
    secret: str = field(default="", repr=False)


class Alias(Point):
    """A value with the fields of another."""


class Empty(Value):
    """A value without fields."""


@dataclasses.dataclass(frozen=True, slots=True)
class Twin:
    """What a dataclass makes of the fields of `Labelled`."""

    x: int
    y: int = 0
    name: str = ""
    remark: str = dataclasses.field(default="none", compare=False)
    secret: str = dataclasses.field(default="", repr=False)


# Few enough values that equal ones are found.
NUMBERS = st.integers(0, 1)
TEXTS = st.sampled_from(["", "a"])
ARGUMENTS = st.tuples(NUMBERS, NUMBERS, TEXTS, TEXTS, TEXTS).flatmap(
    lambda values: st.integers(1, 5).map(lambda count: values[:count])
)


def fields(value: object) -> list[object]:
    """Return what the fields of a `Labelled` or a `Twin` hold."""
    return [getattr(value, name) for name in Labelled.__match_args__]


@given(ARGUMENTS, st.integers(0, 5))
def test_fields_are_given_in_order_by_name_or_left_out_as_with_a_dataclass(
    values: tuple[Any, ...], in_order: int
) -> None:
    named = dict(zip(Labelled.__match_args__[in_order:], values[in_order:], strict=False))
    value, twin = Labelled(*values[:in_order], **named), Twin(*values[:in_order], **named)
    assert fields(value) == fields(twin)
    assert repr(value) == repr(twin).replace("Twin", "Labelled")


@given(ARGUMENTS, ARGUMENTS)
def test_values_are_equal_when_dataclasses_would_be(
    one: tuple[Any, ...], other: tuple[Any, ...]
) -> None:
    same = Twin(*one) == Twin(*other)
    assert (Labelled(*one) == Labelled(*other)) is same
    assert (Labelled(*one) != Labelled(*other)) is not same
    assert not same or hash(Labelled(*one)) == hash(Labelled(*other))


def test_different_values_have_different_hashes() -> None:
    assert len({hash(Point(x, y)) for x in range(10) for y in range(10)}) > 50


def test_a_value_equals_none_of_another_class() -> None:
    assert Point(1, 2) != Alias(1, 2)
    assert Point(1, 2) != Labelled(1, 2)
    assert Point(1, 2) != (1, 2)
    assert Point(1, 2).__eq__((1, 2)) is NotImplemented


def test_values_without_fields_are_equal() -> None:
    assert Empty() == Empty()
    assert repr(Empty()) == "Empty()"


def test_no_field_can_be_set() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="cannot assign to 'x' of a Point"):
        point.x = 2  # type: ignore[misc]
    assert point.x == 1


def test_no_field_can_be_deleted() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="cannot delete 'x' of a Point"):
        del point.x
    assert point.x == 1


def test_nothing_but_fields_can_be_set() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="cannot assign to 'z'"):
        point.z = 2  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Point, "Point needs a value for 'x'"),
        (lambda: Point(y=2), "Point needs a value for 'x'"),  # type: ignore[call-arg]
        (lambda: Point(1, 2, 3), "Point has 2 fields, not 3"),  # type: ignore[call-arg]
        (lambda: Point(1, z=3), "Point has no field 'z'"),  # type: ignore[call-arg]
        (lambda: Point(1, x=3), "Point was given two values for 'x'"),  # type: ignore[misc]
    ],
    ids=["one missing", "one missing by name", "one too many", "unknown", "twice"],
)
def test_wrong_arguments_are_refused_and_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        make()
    assert str(caught.value) == message


def test_replacing_changes_the_named_fields_alone() -> None:
    old = Labelled(1, 2, "a", "b", "c")
    assert fields(replace(old, y=3, remark="d")) == [1, 3, "a", "d", "c"]
    assert fields(old) == [1, 2, "a", "b", "c"]


def test_an_unknown_field_is_not_replaced() -> None:
    with pytest.raises(TypeError, match="Point has no field 'z'"):
        replace(Point(1), z=1)


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_a_copy_has_the_class_and_the_fields(twin: Callable[[object], object]) -> None:
    value = twin(Labelled(1, 2, "a", "b", "c"))
    assert type(value) is Labelled
    assert fields(value) == [1, 2, "a", "b", "c"]


def test_a_type_checker_knows_the_types_of_the_fields() -> None:
    point = Point("1", y="2")  # type: ignore[arg-type]
    number: int = point.x
    text: str = point.y  # type: ignore[assignment]
    assert (number, text) == ("1", "2")  # type: ignore[comparison-overlap]


def test_a_value_can_be_matched_by_position() -> None:
    match Labelled(1, 2, "a"):
        case Labelled(x, y, name):
            assert (x, y, name) == (1, 2, "a")
