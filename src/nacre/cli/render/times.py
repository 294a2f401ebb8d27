"""Moments as Docker reads and prints them: RFC 3339, Go's own format, and "3 weeks ago".

A moment is an integer: nanoseconds since the Unix epoch, as exact as image configs are.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone

from nacre.cli.render.units import human_duration
from nacre.errors import Invalid

SECOND = 1_000_000_000
"""Nanoseconds in a second."""

_YEAR_2000 = 946_684_800 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - the alias costs an import less
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(?:(Z)|([+-])(\d\d):(\d\d))", re.ASCII
)


class InvalidTime(Invalid):
    """The text is no RFC 3339 time."""


def parse_rfc3339(text: str) -> int:
    """Return the moment that ``2024-01-02T15:04:05.123456789+01:00`` names.

    Digits beyond nanoseconds are dropped. Go's zero time (year 1) is a moment like any other.

    Raises:
        InvalidTime: the text is not RFC 3339 or names no real date.
    """
    match = _RFC3339.fullmatch(text.upper())
    if match is None:
        raise InvalidTime(f"invalid RFC 3339 time: {text!r}")
    stamp, fraction, _, sign, hours, minutes = match.groups()
    try:
        naive = datetime.fromisoformat(stamp)
    except ValueError:
        raise InvalidTime(f"no such time: {text!r}") from None
    offset = timedelta()
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    delta = naive.replace(tzinfo=_EPOCH.tzinfo) - _EPOCH - offset
    nanoseconds = int((fraction or "0")[:9].ljust(9, "0"))
    return (delta.days * 86_400 + delta.seconds) * SECOND + nanoseconds


def format_rfc3339(moment: int, *, local: bool = False, fraction: bool = False) -> str:
    """Return ``2017-01-01T12:00:03Z``, in UTC or else in this machine's zone (``+01:00``).

    ``fraction`` adds the nanoseconds without trailing zeros, as Go's RFC3339Nano does.
    """
    shown = _broken_down(moment, local=local)
    minutes = shown.tm_gmtoff // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return f"{_date(shown)}T{_clock(shown, moment if fraction else 0)}{zone if minutes else 'Z'}"


def format_go(moment: int, *, local: bool = False) -> str:
    """Return the moment as Go prints a time: ``2024-01-02 15:04:05 +0000 UTC``."""
    shown = _broken_down(moment, local=local)
    minutes = shown.tm_gmtoff // 60
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    zone = shown.tm_zone if local else "UTC"
    return f"{_date(shown)} {_clock(shown, moment)} {offset} {zone}"


def created_since(created: int, now: int) -> str:
    """Return how long ago something was made: "3 weeks ago".

    "N/A" up to the start of the year 2000: reproducible builds state such times, meaning none.
    """
    if created <= _YEAR_2000:
        return "N/A"
    return f"{human_duration((now - created) / SECOND)} ago"


def _broken_down(moment: int, *, local: bool) -> time.struct_time:
    seconds = moment // SECOND
    return time.localtime(seconds) if local else time.gmtime(seconds)


def _date(shown: time.struct_time) -> str:
    return f"{shown.tm_year:04}-{shown.tm_mon:02}-{shown.tm_mday:02}"


def _clock(shown: time.struct_time, moment: int) -> str:
    clock = f"{shown.tm_hour:02}:{shown.tm_min:02}:{shown.tm_sec:02}"
    nanoseconds = moment % SECOND
    return f"{clock}.{nanoseconds:09}".rstrip("0") if nanoseconds else clock
