"""Moments as Docker shows them to people: in this machine's zone, and as "3 weeks ago".

A moment is an integer: nanoseconds since the Unix epoch.
"""

from __future__ import annotations

import time

from nacre.cli.render.units import human_duration
from nacre.oci.timestamp import SECOND

_YEAR_2000 = 946_684_800 * SECOND


def format_rfc3339(moment: int) -> str:
    """Return a moment to the second in this machine's zone: ``2017-01-01T13:00:03+01:00``."""
    shown = time.localtime(moment // SECOND)
    return f"{_date(shown)}T{_clock(shown)}{_offset(shown, ':') if shown.tm_gmtoff else 'Z'}"


def format_go(moment: int) -> str:
    """Return a moment to the second as Go prints it: ``2017-01-01 13:00:03 +0100 CET``."""
    shown = time.localtime(moment // SECOND)
    return f"{_date(shown)} {_clock(shown)} {_offset(shown)} {shown.tm_zone}"


def ago(moment: int, now: int) -> str:
    """Return how long ago something was: "3 weeks ago".

    Docker's lists know moments by their whole second only, and are told the present exactly.
    """
    return f"{human_duration((now - moment // SECOND * SECOND) / SECOND)} ago"


def created_since(created: int, now: int) -> str:
    """Return how long ago a step was made.

    "N/A" up to the start of the year 2000: reproducible builds state such times, meaning none.
    """
    return "N/A" if created <= _YEAR_2000 else ago(created, now)


def _date(shown: time.struct_time) -> str:
    return f"{shown.tm_year:04}-{shown.tm_mon:02}-{shown.tm_mday:02}"


def _clock(shown: time.struct_time) -> str:
    return f"{shown.tm_hour:02}:{shown.tm_min:02}:{shown.tm_sec:02}"


def _offset(shown: time.struct_time, between: str = "") -> str:
    minutes = abs(shown.tm_gmtoff) // 60
    return f"{'-' if shown.tm_gmtoff < 0 else '+'}{minutes // 60:02}{between}{minutes % 60:02}"
