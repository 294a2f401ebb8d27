"""Frozen values whose classes cost next to nothing to make.

A dataclass writes and compiles methods of its own, which takes longer than all else that happens
when its module is imported; a value shares the methods of all values. So what the quickest
commands need are values, and everything else may be frozen dataclasses: in use they are alike,
and type checkers see no difference.

>>> class Point(Value):
...     x: int
...     y: int = 0
>>> Point(1)
Point(x=1, y=0)
>>> replace(Point(1), y=2) == Point(1, 2)
True
"""

# What a class of values keeps for all values is private to this file, not to that class.
# ruff: noqa: SLF001

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar, dataclass_transform

    AnyValue = TypeVar("AnyValue", bound="Value")
else:

    def dataclass_transform(**_):
        """Do nothing: it only tells type checkers something."""
        return lambda kind: kind


NOTHING: Mapping[Any, Any] = MappingProxyType({})
"""An empty mapping: what can be the default of a field."""

_REQUIRED = object()


class _Field:
    def __init__(self, default: object, *, compare: bool = True, repr: bool = True) -> None:  # noqa: A002
        self.default = default
        self.compare = compare
        self.repr = repr


def field(*, default: Any = _REQUIRED, compare: bool = True, repr: bool = True) -> Any:  # noqa: A002
    """Return what to assign to a field that is left out of comparisons or of ``repr()``."""
    return _Field(default, compare=compare, repr=repr)


class _ValueType(type):
    """Makes a slot of every annotation of a class; what is assigned there is its default."""

    __match_args__: tuple[str, ...]
    _fields: Mapping[str, _Field]
    _setters: Sequence[Callable[[object, object], None]]
    _key: Callable[[object], object]

    def __new__(
        mcs, name: str, bases: tuple[_ValueType, ...], members: dict[str, Any]
    ) -> _ValueType:
        fields = {name: each for base in bases for name, each in base._fields.items()}
        own = tuple(members.get("__annotations__", ()))
        for each in own:
            default = members.pop(each, _REQUIRED)
            fields[each] = default if isinstance(default, _Field) else _Field(default)
        members |= {"__slots__": own, "__match_args__": tuple(fields), "_fields": fields}
        made = super().__new__(mcs, name, bases, members)
        made._setters = tuple(getattr(made, each).__set__ for each in fields)
        compared = [name for name, each in fields.items() if each.compare]
        made._key = attrgetter(*compared or ["__class__"])
        return made


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value(metaclass=_ValueType):
    """Something that is no more than its fields: made whole, never changed, equal to its likes.

    A class of values is written like a dataclass without the decorator, in a module that has
    ``from __future__ import annotations``. Each annotation is a field.
    """

    def __init__(self, *values: object, **named: object) -> None:
        """Take the fields in order, by name or both.

        Raises:
            TypeError: a field without default is left out, or there is none for what is given.
        """
        setters = type(self)._setters
        if named or len(values) != len(setters):
            values = _complete(type(self), values, named)
        for set_field, value in zip(setters, values):  # noqa: B905 - as many, and this is hot
            set_field(self, value)

    if not TYPE_CHECKING:  # they see for themselves that no field can be set

        def __setattr__(self, name, value):
            raise AttributeError(f"cannot assign to {name!r} of a {type(self).__name__}")

        def __delattr__(self, name):
            raise AttributeError(f"cannot delete {name!r} of a {type(self).__name__}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return type(self)._key(self) == type(self)._key(other)

    def __hash__(self) -> int:
        return hash(type(self)._key(self))

    def __repr__(self) -> str:
        fields = type(self)._fields
        shown = [f"{name}={getattr(self, name)!r}" for name in fields if fields[name].repr]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[type[Value], tuple[object, ...]]:
        """Say how to make it again, for `copy` and `pickle`."""
        return type(self), tuple(getattr(self, name) for name in type(self)._fields)


def replace(value: AnyValue, **changes: object) -> AnyValue:
    """Return a value with some of its fields changed.

    Raises:
        TypeError: it has no such field.
    """
    kind = type(value)
    return kind(**{name: getattr(value, name) for name in kind._fields} | changes)


def _complete(
    kind: _ValueType, values: tuple[object, ...], named: dict[str, object]
) -> tuple[object, ...]:
    """Return what every field gets, in order."""
    for name in kind.__match_args__[len(values) :]:
        value = named.pop(name, kind._fields[name].default)
        if value is _REQUIRED:
            raise TypeError(f"{kind.__name__} needs a value for {name!r}")
        values += (value,)
    if len(values) > len(kind._fields):
        raise TypeError(f"{kind.__name__} has {len(kind._fields)} fields, not {len(values)}")
    for name in named:
        wrong = "was given two values for" if name in kind._fields else "has no field"
        raise TypeError(f"{kind.__name__} {wrong} {name!r}")
    return values
