"""Numbers and dates as servers state them in header fields; whatever is not exactly one is None.

The one place that turns such text into numbers. Python's own ways are too generous: they take
signs, underscores and digits of every script, and stumble over dates and numbers that are absurd.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from nacre.value import Value

_DIGITS = 18
# Enough for every size there is; Python itself refuses to read numbers of thousands of digits.

_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")
_RECEIVED = re.compile(r"(?:bytes[= ])?0-([0-9]+)")
_DATE = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ContentRange(Value):
    """Which bytes a reply carries, both ends included, and of how many, if that is known."""

    first: int
    last: int
    size: int | None

    @property
    def length(self) -> int:
        """How many bytes that are."""
        return self.last - self.first + 1


def number(text: str) -> int | None:
    """Return the number that a header field states, or None when it is none below 10**18."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if is_number else None


def content_range(text: str) -> ContentRange | None:
    """Return what a ``Content-Range`` states (RFC 9110 section 14.4), or None."""
    match = _RANGE.fullmatch(text.strip())
    if not match:
        return None
    first, last, size = number(match[1]), number(match[2]), number(match[3])
    if first is None or last is None or last < first or (size is None and match[3] != "*"):
        return None
    return ContentRange(first, last, size)


def received(text: str) -> int | None:
    """Return how many bytes of an upload a ``Range`` says to have arrived, or None.

    ``0-99`` is the form of the distribution specification, ``bytes=0-99`` is met as well.
    """
    match = _RECEIVED.fullmatch(text.strip())
    last = number(match[1]) if match else None
    return None if last is None else last + 1


def date(text: str) -> datetime | None:
    """Return a moment in the one form that senders may use (RFC 9110 section 5.6.7), or None."""
    match = _DATE.fullmatch(text)
    if not match or match[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[place]) for place in (1, 3, 4, 5, 6))
    month = _MONTHS.index(match[2]) + 1
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for, as a number or a date, or None.

    A number of absurdly many digits is infinite: who sends it does not want to be asked again.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        seconds = number(text)
        return float("inf") if seconds is None else float(seconds)
    when = date(text)
    return None if when is None else max(0.0, (when - now).total_seconds())
