"""Moments as RFC 3339, to the nanosecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.oci.timestamp import SECOND, InvalidTime, format_rfc3339, parse_rfc3339, stated

NEW_YEAR = 1_483_272_003  # 2017-01-01T12:00:03Z


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2017-01-01T12:00:03Z", NEW_YEAR * SECOND),
        ("2017-01-01t12:00:03z", NEW_YEAR * SECOND),
        ("2017-01-01T13:00:03+01:00", NEW_YEAR * SECOND),
        ("2017-01-01T08:30:03-03:30", NEW_YEAR * SECOND),
        ("2017-01-01T12:00:03.5Z", NEW_YEAR * SECOND + 500_000_000),
        ("2017-01-01T12:00:03.123456789Z", NEW_YEAR * SECOND + 123_456_789),
        ("2017-01-01T12:00:03.1234567899Z", NEW_YEAR * SECOND + 123_456_789),
        ("0001-01-01T00:00:00Z", -62_135_596_800 * SECOND),
        ("0001-01-01T00:00:00+01:00", -62_135_600_400 * SECOND),
    ],
)
def test_rfc3339_is_read_to_the_nanosecond(text: str, nanoseconds: int) -> None:
    assert parse_rfc3339(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2017-01-01",
        "2017-01-01 12:00:03Z",
        "2017-01-01T12:00:03",
        "2017-13-01T12:00:03Z",
        "2017-02-30T12:00:03Z",
        "2017-01-01T25:00:03Z",
        "0000-01-01T00:00:00Z",
        "2017-01-01T12:00:03Z\n",
        "\uff12017-01-01T12:00:03Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidTime):
        parse_rfc3339(text)


@pytest.mark.parametrize("text", ["", "yesterday", "2017-02-30T12:00:03Z"])
def test_a_moment_that_cannot_be_read_is_the_epoch(text: str) -> None:
    assert stated(text) == 0
    assert stated("2017-01-01T12:00:03Z") == NEW_YEAR * SECOND


def test_moments_are_printed_in_utc_without_trailing_zeros() -> None:
    moment = NEW_YEAR * SECOND
    assert format_rfc3339(moment + 120_000_000) == "2017-01-01T12:00:03.12Z"
    assert format_rfc3339(moment) == "2017-01-01T12:00:03Z"


def test_years_have_four_digits() -> None:
    assert format_rfc3339(-62_135_596_800 * SECOND) == "0001-01-01T00:00:00Z"


@given(st.integers(min_value=-62_135_596_800 * SECOND, max_value=253_402_300_799 * SECOND))
def test_printed_moments_read_back(moment: int) -> None:
    assert parse_rfc3339(format_rfc3339(moment)) == moment
