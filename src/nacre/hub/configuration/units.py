"""Sizes and times as people write them in a settings file or a command."""

from __future__ import annotations

import re
from datetime import timedelta

from nacre.errors import Invalid

_SIZES = {"": 1, "b": 1} | {
    f"{letter}{suffix}": (1024 if suffix == "ib" else 1000) ** power
    for power, letter in enumerate("kmgt", start=1)
    for suffix in ("", "b", "ib")
}
_TIMES = {
    "ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800,
}  # fmt: skip
_NUMBER = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)([a-z]*)", re.IGNORECASE)


def size(text: str) -> int:
    """Return the bytes that a size means: powers of 1000, or of 1024 with an ``i``.

    Raises:
        Invalid: it is no size.

    >>> size("10GB"), size("4MiB"), size("512")
    (10000000000, 4194304, 512)
    """
    match = _NUMBER.fullmatch(text.strip())
    factor = _SIZES.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise Invalid(f"{text!r} is not a size", remedy="write it like 10GB or 512MiB")
    return int(float(match[1]) * factor) if "." in match[1] else int(match[1]) * factor


def duration(text: str) -> timedelta:
    """Return the time that a text means.

    Raises:
        Invalid: it is no time.

    >>> duration("24h") == duration("1d"), duration("90s").total_seconds()
    (True, 90.0)
    """
    match = _NUMBER.fullmatch(text.strip())
    factor = _TIMES.get(match[2].lower()) if match else None
    if match is None or factor is None or (seconds := float(match[1]) * factor) > 1e10:
        raise Invalid(f"{text!r} is not a time", remedy="write it like 30s, 5m, 24h or 30d")
    return timedelta(seconds=seconds)


def written_size(number: int) -> str:
    """Return a size as `size` reads it, in the largest unit that is exact.

    >>> written_size(4 << 20), written_size(0), written_size(10 * 10**9)
    ('4MiB', '0', '10GB')
    """
    for unit in ("TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB"):
        factor = _SIZES[unit.lower()]
        if number and number % factor == 0:
            return f"{number // factor}{unit}"
    return str(number)


def written_duration(time: timedelta) -> str:
    """Return a time as `duration` reads it, in the largest unit that is exact.

    >>> written_duration(timedelta(hours=24)), written_duration(timedelta(seconds=90))
    ('24h', '90s')
    """
    milliseconds = round(time.total_seconds() * 1000)
    if milliseconds > 48 * 3_600_000 and milliseconds % 86_400_000 == 0:
        return f"{milliseconds // 86_400_000}d"
    for unit, factor in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % factor == 0:
            return f"{milliseconds // factor}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"
