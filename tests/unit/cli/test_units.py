"""Sizes and durations in Docker's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.cli.render.units import human_duration, human_size

HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "Less than a second"),
        (0, "Less than a second"),
        (0.999, "Less than a second"),
        (1, "1 second"),
        (1.9, "1 second"),
        (2, "2 seconds"),
        (59.9, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (HOUR - 1, "59 minutes"),
        (HOUR, "About an hour"),
        (1.49 * HOUR, "About an hour"),
        (1.5 * HOUR, "2 hours"),
        (47.4 * HOUR, "47 hours"),
        (47.5 * HOUR, "2 days"),
        (2 * DAY, "2 days"),
        (13.9 * DAY, "13 days"),
        (14 * DAY, "2 weeks"),
        (59 * DAY, "8 weeks"),
        (60 * DAY, "2 months"),
        (729 * DAY, "24 months"),
        (730 * DAY, "2 years"),
        (3610 * DAY, "9 years"),
    ],
)
def test_durations_are_worded_as_docker_words_them(seconds: float, words: str) -> None:
    assert human_duration(seconds) == words


@given(st.floats(min_value=0, max_value=1e12))
def test_every_duration_has_words(seconds: float) -> None:
    assert human_duration(seconds)[0].isalnum()


@pytest.mark.parametrize(
    ("size", "short", "long"),
    [
        (0, "0B", "0B"),
        (1, "1B", "1B"),
        (999, "999B", "999B"),
        (1000, "1kB", "1kB"),
        (1024, "1.02kB", "1.024kB"),
        (7_800_000, "7.8MB", "7.8MB"),
        (16_432_100, "16.4MB", "16.43MB"),
        (124_000_000, "124MB", "124MB"),
        (1_050_000_000, "1.05GB", "1.05GB"),
        (999_600, "1e+03kB", "999.6kB"),  # Docker's own oddity, kept
        (3 * 10**18, "3EB", "3EB"),
        (5 * 10**24, "5YB", "5YB"),
        (5 * 10**27, "5e+03YB", "5000YB"),
    ],
)
def test_sizes_have_three_or_four_digits(size: int, short: str, long: str) -> None:
    assert human_size(size, precision=3) == short
    assert human_size(size) == long
