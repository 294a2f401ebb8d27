"""Rates as settings state them: so many requests in so much time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nacre.errors import Invalid
from nacre.hub.configuration import units

_RATE = re.compile(r"(\d{1,9})\s*/\s*(\d*[a-z]+)")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    requests: int
    seconds: float

    @classmethod
    def read(cls, text: str) -> Rate | None:
        """Return the rate that a setting states, None for the empty text, which is no limit.

        Raises:
            Invalid: it states none.

        >>> Rate.read("200/6h")
        Rate(requests=200, seconds=21600.0)
        >>> Rate.read("100/s").seconds
        1.0
        """
        if not text.strip():
            return None
        match = _RATE.fullmatch(text.strip().lower())
        unit = match[2] if match else ""
        seconds = units.duration(unit if unit[:1].isdigit() else f"1{unit}") if unit else None
        if match is None or seconds is None or not int(match[1]) or not seconds:
            raise Invalid(f"{text!r} is not a rate", remedy="write it like 200/6h or 100/s")
        return cls(int(match[1]), seconds.total_seconds())
