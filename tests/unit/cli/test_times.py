"""Moments: RFC 3339 in and out, Go's format, and how long ago."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.cli.render.times import (
    SECOND,
    InvalidTime,
    created_since,
    format_go,
    format_rfc3339,
    parse_rfc3339,
)

NEW_YEAR = 1_483_272_003  # 2017-01-01T12:00:03Z


@pytest.fixture
def _in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "IST-5:30")
        time.tzset()
        yield
    time.tzset()


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


def test_rfc3339_is_printed_in_utc_by_default() -> None:
    assert format_rfc3339(NEW_YEAR * SECOND + 120_000_000) == "2017-01-01T12:00:03Z"


def test_rfc3339_fractions_lose_their_trailing_zeros() -> None:
    moment = NEW_YEAR * SECOND
    assert format_rfc3339(moment + 120_000_000, fraction=True) == "2017-01-01T12:00:03.12Z"
    assert format_rfc3339(moment, fraction=True) == "2017-01-01T12:00:03Z"


def test_go_prints_zone_offset_and_name() -> None:
    assert format_go(1_704_207_845 * SECOND) == "2024-01-02 15:04:05 +0000 UTC"
    assert format_go(-62_135_596_800 * SECOND) == "0001-01-01 00:00:00 +0000 UTC"
    assert format_go(1_704_207_845 * SECOND + 5) == "2024-01-02 15:04:05.000000005 +0000 UTC"


@pytest.mark.usefixtures("_in_kolkata")
def test_local_times_carry_the_zone() -> None:
    moment = 1_704_207_845 * SECOND
    assert format_rfc3339(moment, local=True) == "2024-01-02T20:34:05+05:30"
    assert format_go(moment, local=True) == "2024-01-02 20:34:05 +0530 IST"
    assert format_rfc3339(moment) == "2024-01-02T15:04:05Z"


def test_a_zone_west_of_greenwich_has_a_minus(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "NST3:30")
        time.tzset()
        shown = format_rfc3339(0, local=True), format_go(0, local=True)
    time.tzset()
    assert shown == ("1969-12-31T20:30:00-03:30", "1969-12-31 20:30:00 -0330 NST")


@given(st.integers(min_value=-62_135_596_800 * SECOND, max_value=253_402_300_799 * SECOND))
def test_printed_times_read_back(moment: int) -> None:
    assert parse_rfc3339(format_rfc3339(moment, fraction=True)) == moment


@pytest.mark.parametrize("created", ["0001-01-01T00:00:00Z", "1980-01-01T00:00:00Z"])
def test_the_times_of_reproducible_builds_are_not_available(created: str) -> None:
    assert created_since(parse_rfc3339(created), NEW_YEAR * SECOND) == "N/A"


def test_the_last_unavailable_time_is_the_start_of_2000() -> None:
    edge = parse_rfc3339("2000-01-01T00:00:00Z")
    assert created_since(edge, NEW_YEAR * SECOND) == "N/A"
    assert created_since(edge + 1, NEW_YEAR * SECOND) == "17 years ago"


def test_creation_is_told_in_human_durations() -> None:
    now = NEW_YEAR * SECOND
    assert created_since(now, now) == "Less than a second ago"
    assert created_since(now - 3 * 7 * 86_400 * SECOND, now) == "3 weeks ago"
    assert created_since(now + SECOND, now) == "Less than a second ago"
