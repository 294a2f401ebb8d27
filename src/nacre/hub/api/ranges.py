"""Ranges of bytes: what part of a blob is asked for, and where a chunk belongs.

RFC 9110 section 14; distribution-spec 1.1, "Pulling blobs" and "Pushing a blob in chunks".
"""

from __future__ import annotations

import re
import sys

from nacre.hub.errors import RegistryError

_RANGE = re.compile(r"bytes=\s*([0-9]*)-([0-9]*)\s*", re.IGNORECASE)
_DIGITS = 18
_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?([0-9]{1,18})-([0-9]{1,18})(?:/(?:[0-9]+|\*))?")


class RangeInvalid(RegistryError):
    """The blob has no such bytes: answered with 416. ``size`` is how many it has."""

    code = "RANGE_INVALID"

    def __init__(self, size: int) -> None:
        super().__init__("the blob has no such range", detail={"size": size})
        self.size = size


def requested(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first and last byte that are asked for, or None for all of them.

    Several ranges, and units that are not bytes, are answered with everything, as RFC 9110 allows.

    Raises:
        RangeInvalid: the range is not one of this blob's.

    >>> requested("bytes=2-", 10), requested("bytes=-3", 10), requested("bytes=5-99", 10)
    ((2, 9), (7, 9), (5, 9))
    """
    if header is None:
        return None
    match = _RANGE.fullmatch(header)
    if match is None:
        if header.lower().startswith("bytes=") and "," not in header:
            raise RangeInvalid(size)
        return None
    first, last = match.groups()
    if first:
        start, end = _number(first), min(_number(last), size - 1) if last else size - 1
    else:
        start, end = max(size - _number(last or "0"), 0), size - 1
    if start > end:
        raise RangeInvalid(size)
    return start, end


def _number(digits: str) -> int:
    """Return a number; one that is longer than any blob's size is as good as the largest."""
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= _DIGITS else sys.maxsize


def announced(header: str | None) -> tuple[int, int] | None:
    """Return where a chunk begins and how long it is by its ``Content-Range``; None without one.

    A header that makes no sense is a chunk that belongs nowhere: it begins at -1.

    >>> announced("5-9"), announced("9-5")
    ((5, 5), (-1, 0))
    """
    if header is None:
        return None
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None or int(match[1]) > int(match[2]):
        return -1, 0
    return int(match[1]), int(match[2]) - int(match[1]) + 1


def received(offset: int) -> str:
    """Return the ``Range`` of an upload that stands at ``offset``: inclusive, without a unit.

    The specification has no way to say "nothing"; that, too, is 0-0.
    """
    return f"0-{max(offset - 1, 0)}"
