"""Sizes and durations in the words Docker uses for people."""

from __future__ import annotations

_MINUTE = 60
_HOUR = 60 * _MINUTE
_PREFIXES = "kmgtpezy"


def human_duration(seconds: float) -> str:
    """Return a length of time in seconds as Docker words it: "About an hour", "3 weeks".

    Hours are rounded to the nearest, everything else is rounded down.
    """
    if seconds < 1:
        return "Less than a second"
    if seconds < 2:
        return "1 second"
    if seconds < _MINUTE:
        return f"{int(seconds)} seconds"
    if seconds < 2 * _MINUTE:
        return "About a minute"
    if seconds < _HOUR:
        return f"{int(seconds / _MINUTE)} minutes"
    return _human_hours(int(seconds / _HOUR + 0.5), int(seconds / _HOUR))


def _human_hours(rounded: int, whole: int) -> str:
    if rounded == 1:
        return "About an hour"
    if rounded < 48:
        return f"{rounded} hours"
    if rounded < 24 * 14:
        return f"{rounded // 24} days"
    if rounded < 24 * 60:
        return f"{rounded // 24 // 7} weeks"
    if rounded < 24 * 365 * 2:
        return f"{rounded // 24 // 30} months"
    return f"{whole // 24 // 365} years"


def human_size(size: float, *, precision: int = 4) -> str:
    """Return a number of bytes in decimal units with ``precision`` significant digits.

    Tables use 3 digits (``7.8MB``), messages 4 (``16.43MB``).
    """
    amount, power = float(size), 0
    while amount >= 1000 and power < len(_PREFIXES):
        amount /= 1000
        power += 1
    unit = _PREFIXES[power - 1] if power else ""
    unit = unit if unit == "k" else unit.upper()
    return f"{amount:.{precision}g}{unit}B"
