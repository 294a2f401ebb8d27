"""Sizes and durations in Docker's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.cli.render.units import InvalidSize, human_duration, human_size, parse_size

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


@pytest.mark.parametrize(
    ("text", "binary", "decimal"),
    [
        ("0", 0, 0),
        ("512", 512, 512),
        ("512b", 512, 512),
        ("1k", 1024, 1000),
        ("1K", 1024, 1000),
        ("1kb", 1024, 1000),
        ("1KiB", 1024, 1000),
        ("10 MB", 10 * 2**20, 10**7),
        ("1.5g", 1536 * 2**20, 1_500_000_000),
        ("0.3", 0, 0),
        ("2p", 2**51, 2 * 10**15),
    ],
)
def test_sizes_are_read_in_either_base(text: str, binary: int, decimal: int) -> None:
    assert parse_size(text) == binary
    assert parse_size(text, base=1000) == decimal


@pytest.mark.parametrize("text", ["", "m", "1x", "-1m", "1..5m", "1 2", "1m ", "one", "1e3", "٣m"])
def test_what_is_no_size_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidSize, match="invalid size") as caught:
        parse_size(text)
    assert caught.value.remedy


@given(st.integers(min_value=0, max_value=10**30))
def test_a_printed_size_reads_back_within_its_precision(size: int) -> None:
    printed = human_size(size)
    if "e+" not in printed:
        assert abs(parse_size(printed, base=1000) - size) <= size * 0.0006
