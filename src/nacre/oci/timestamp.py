"""Moments as configs state them: RFC 3339, to the nanosecond.

A moment is an integer: nanoseconds since the Unix epoch.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from nacre.errors import Invalid

SECOND = 1_000_000_000
"""Nanoseconds in a second."""

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


def stated(text: str) -> int:
    """Return the moment that an image states, or the epoch if it states none that can be read.

    One image with an odd date is no reason to list no image at all.
    """
    try:
        return parse_rfc3339(text)
    except InvalidTime:
        return 0


def format_rfc3339(moment: int) -> str:
    """Return the moment in UTC with its nanoseconds, trailing zeros left out, as Go writes it."""
    seconds, nanoseconds = divmod(moment, SECOND)
    shown = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    fraction = f".{nanoseconds:09}".rstrip("0").rstrip(".")
    return f"{shown.isoformat()}{fraction}Z"
