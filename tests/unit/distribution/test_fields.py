"""Numbers and dates of header fields: exactly one, or None, whatever comes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.distribution.fields import (
    ContentRange,
    content_range,
    date,
    number,
    received,
    retry_after,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIGURES = st.text(alphabet="0123456789-+/*=_., :abeytsGMTJanThu٣²\x00\x85", max_size=60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("007", 7),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("1" + "0" * 400, None),
        ("9" * 60_000, None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1_0", None),
        ("1e3", None),
        ("0x10", None),
        ("1.0", None),
        (" 1", None),
        ("1\n", None),
        ("5, 5", None),
        ("١٢", None),
        ("²", None),
        ("many", None),
    ],
)
def test_a_number_is_plain_digits(text: str, expected: int | None) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes 10-99/100", ContentRange(10, 99, 100)),
        ("bytes 10-99/*", ContentRange(10, 99, None)),
        (" bytes 0-0/1 ", ContentRange(0, 0, 1)),
        ("bytes 99-10/100", None),
        ("bytes -1-10/100", None),
        ("bytes */100", None),
        ("items 0-9/10", None),
        ("bytes 0-9", None),
        (f"bytes 0-{'9' * 400}/*", None),
        (f"bytes 0-9/{'9' * 400}", None),
        ("bytes 0-٩/10", None),
        ("", None),
    ],
)
def test_a_content_range_is_whole_or_none(text: str, expected: ContentRange | None) -> None:
    assert content_range(text) == expected


def test_a_content_range_counts_both_ends() -> None:
    assert ContentRange(10, 99, None).length == 90


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0-99", 100),
        ("bytes=0-99", 100),
        ("bytes 0-99", 100),
        ("0-0", 1),
        ("1-99", None),
        ("0--1", None),
        (f"0-{'9' * 400}", None),
        ("0-٩", None),
        ("", None),
    ],
)
def test_what_arrived_begins_at_the_beginning(text: str, expected: int | None) -> None:
    assert received(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Thu, 99 Jan 2026 00:00:30 GMT", None),
        ("Thu, 30 Feb 2026 00:00:30 GMT", None),
        ("Thu, 01 Foo 2026 00:00:30 GMT", None),
        ("Fri, 31 Dec 0000 00:00:00 GMT", None),
        ("Fri, 31 Dec 99999 00:00:00 GMT", None),
        (f"Thu, 01 Jan {'9' * 20} 00:00:30 GMT", None),
        (f"Thu, 01 Jan 2026 00:00:30 +{'9' * 20}", None),
        ("9" * 5000, float("inf")),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, expected: float | None) -> None:
    assert retry_after(value, NOW) == expected


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001
def test_every_date_is_read_as_it_is_written(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    assert date(f"{day}, {moment:%d %b} {moment.year:04} {moment:%H:%M:%S} GMT") == moment


@given(FIGURES | st.text())
def test_no_text_is_too_odd(text: str) -> None:
    found = number(text), content_range(text), received(text), retry_after(text, NOW)
    assert all(each is None or each == each for each in found)  # noqa: PLR0124 - not NaN
