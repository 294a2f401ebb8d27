"""The methods of Go's times that templates may call, such as ``.Year`` and ``.Format``.

Times are in UTC, as all times of a document are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from nacre.cli.render.template.signature import Signature
from nacre.cli.render.template.values import Int64, Moment, Stringer
from nacre.oci.timestamp import SECOND, parse_rfc3339

# How Go's layouts spell the parts of a time: as those of "Mon Jan 2 15:04:05 MST 2006". Names
# that go on in small letters are words of their own: "Months" does not begin with "Mon".
_LAYOUT = re.compile(
    r"""[.,](?:0+|9+)(?![0-9])
    | January | Jan(?![a-z]) | Monday | Mon(?![a-z]) | MST | 2006 | (?<!_)_2(?!006) | __2 | 002
    | 0[1-6] | 15 | [1-5] | PM | pm | [-Z]07(?: :00:00 | 0000 | :00 | 00 )?""",
    re.VERBOSE,
)
_DIRECTIVES = {
    "January": "%B", "Jan": "%b", "Monday": "%A", "Mon": "%a", "MST": "UTC", "002": "%j",
    "01": "%m", "02": "%d", "03": "%I", "04": "%M", "05": "%S", "06": "%y", "15": "%H", "PM": "%p",
    "Z07:00:00": "Z", "Z070000": "Z", "Z07:00": "Z", "Z0700": "Z", "Z07": "Z",
    "-07:00:00": "+00:00:00", "-070000": "+000000", "-07:00": "+00:00", "-0700": "+0000",
    "-07": "+00",
}  # fmt: skip
_NUMBERS: Mapping[str, Callable[[datetime], str]] = {
    "2006": lambda shown: f"{shown.year:04}",
    "__2": lambda shown: f"{shown.timetuple().tm_yday:3}",
    "_2": lambda shown: f"{shown.day:2}",
    "1": lambda shown: f"{shown.month}",
    "2": lambda shown: f"{shown.day}",
    "3": lambda shown: f"{shown.hour % 12 or 12}",
    "4": lambda shown: f"{shown.minute}",
    "5": lambda shown: f"{shown.second}",
    "pm": lambda shown: "pm" if shown.hour >= 12 else "am",
}


class Month(Stringer, int):
    """A month: a number that is printed as its English name."""

    __slots__ = ()
    go_type = "time.Month"

    def __str__(self) -> str:
        return datetime(2006, self, 1, tzinfo=UTC).strftime("%B")


class Weekday(Stringer, int):
    """A day of the week, Sunday being 0: a number that is printed as its English name."""

    __slots__ = ()
    go_type = "time.Weekday"

    def __str__(self) -> str:
        return datetime(2006, 1, 1 + self, tzinfo=UTC).strftime("%A")


def _shown(moment: Moment) -> datetime:
    return datetime.fromisoformat(f"{moment[:19]}+00:00")


def _part(name: str) -> Callable[[Moment], int]:
    return lambda moment: int(getattr(_shown(moment), name))


def _month(moment: Moment) -> Month:
    return Month(_shown(moment).month)


def _weekday(moment: Moment) -> Weekday:
    return Weekday(_shown(moment).isoweekday() % 7)


def _unix(moment: Moment) -> Int64:
    return Int64(parse_rfc3339(moment) // SECOND)


def _is_zero(moment: Moment) -> bool:
    return moment.startswith("0001-01-01T00:00:00Z")


def _utc(moment: Moment) -> Moment:
    return moment


def _format(moment: Moment, layout: str) -> str:
    shown = _shown(moment)
    fraction = f"{parse_rfc3339(moment) % SECOND:09}"

    def spelt(match: re.Match[str]) -> str:
        part = match[0]
        if part[0] in ".,":
            return _fraction(part, fraction)
        if part in _NUMBERS:
            return _NUMBERS[part](shown)
        return shown.strftime(_DIRECTIVES[part])

    return _LAYOUT.sub(spelt, layout)


def _fraction(part: str, digits: str) -> str:
    """Return a fraction of a second, as long as its part of a layout: nines drop zeros."""
    digits = digits[: len(part) - 1].ljust(len(part) - 1, "0")
    shown = digits if part[1] == "0" else digits.rstrip("0")
    return f"{part[0]}{shown}" if shown else ""


METHODS: Mapping[str, Signature] = {
    **{
        name: Signature(_part(name.lower())) for name in ("Year", "Day", "Hour", "Minute", "Second")
    },
    "Month": Signature(_month),
    "Weekday": Signature(_weekday),
    "Unix": Signature(_unix),
    "UTC": Signature(_utc),
    "String": Signature(Moment.__str__),
    "IsZero": Signature(_is_zero),
    "Format": Signature(_format, ("string",)),
}
"""The methods of a moment, which is their first argument."""
