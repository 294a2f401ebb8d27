"""Moments as people see them: in the local zone, and how long ago."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from nacre.cli.render.times import ago, created_since, format_go, format_rfc3339
from nacre.oci.timestamp import SECOND, parse_rfc3339

NEW_YEAR = 1_483_272_003  # 2017-01-01T12:00:03Z
Move = Callable[[str], None]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Move]:
    """A function that moves this machine to another time zone, until the test ends."""

    def move(name: str) -> None:
        patch.setenv("TZ", name)
        time.tzset()

    with monkeypatch.context() as patch:
        yield move
    time.tzset()


def test_go_prints_zone_offset_and_name(zone: Move) -> None:
    zone("UTC0")
    assert format_go(1_704_207_845 * SECOND) == "2024-01-02 15:04:05 +0000 UTC"
    assert format_go(-62_135_596_800 * SECOND) == "0001-01-01 00:00:00 +0000 UTC"


def test_fractions_of_a_second_are_not_shown(zone: Move) -> None:
    zone("UTC0")
    assert format_go(1_704_207_845 * SECOND + 999_999_999) == "2024-01-02 15:04:05 +0000 UTC"
    assert format_rfc3339(1_704_207_845 * SECOND + 999_999_999) == "2024-01-02T15:04:05Z"


def test_times_are_local(zone: Move) -> None:
    zone("IST-5:30")
    assert format_rfc3339(1_704_207_845 * SECOND) == "2024-01-02T20:34:05+05:30"
    assert format_go(1_704_207_845 * SECOND) == "2024-01-02 20:34:05 +0530 IST"


def test_a_zone_west_of_greenwich_has_a_minus(zone: Move) -> None:
    zone("NST3:30")
    assert format_rfc3339(0) == "1969-12-31T20:30:00-03:30"
    assert format_go(0) == "1969-12-31 20:30:00 -0330 NST"


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


def test_moments_count_from_their_whole_second() -> None:
    created = NEW_YEAR * SECOND + 900_000_000
    assert ago(created, created) == "Less than a second ago"
    assert ago(created, created + 99_999_999) == "Less than a second ago"
    assert ago(created, created + 100_000_000) == "1 second ago"
    assert created_since(created, created + 1_200_000_000) == "2 seconds ago"


def test_images_of_the_epoch_are_old() -> None:
    assert ago(0, NEW_YEAR * SECOND) == "47 years ago"
