"""Kinds of values that several commands on a hub take: sizes and times as people write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nacre.cli.flags import Kind
from nacre.errors import Invalid
from nacre.hub.configuration import units

T = TypeVar("T")


def _converted(convert: Callable[[str], T]) -> Callable[[str], T]:
    """Return a conversion that refuses as flags want it."""

    def converted(text: str) -> T:
        try:
            return convert(text)
        except Invalid as error:
            raise ValueError(str(error)) from None

    return converted


SIZE = Kind("bytes", _converted(units.size))
TIME = Kind("time", _converted(units.duration), written=units.written_duration)
