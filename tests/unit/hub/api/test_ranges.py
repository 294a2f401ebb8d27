"""Ranges of bytes as headers say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.hub.api.ranges import RangeInvalid, announced, received, requested


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_range_is_the_slice_that_it_says(size: int, first: int, last: int) -> None:
    data = bytes(range(size))
    expected = data[first : last + 1] if first <= last else b""
    if not expected:
        with pytest.raises(RangeInvalid):
            requested(f"bytes={first}-{last}", size)
        return
    part = requested(f"bytes={first}-{last}", size)
    assert part is not None
    assert data[part[0] : part[1] + 1] == expected


@given(st.integers(1, 50), st.integers(1, 60))
def test_a_suffix_is_the_end(size: int, count: int) -> None:
    data = bytes(range(size))
    part = requested(f"bytes=-{count}", size)
    assert part is not None
    assert data[part[0] : part[1] + 1] == data[-count:]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-99999999999999999999", (0, 9)),
        ("bytes=3-" + "9" * 5000, (3, 9)),
        ("bytes=-99999999999999999999", (0, 9)),
        ("bytes=" + "0" * 5000 + "2-" + "0" * 5000 + "3", (2, 3)),
        ("Bytes=2-3", (2, 3)),
    ],
)
def test_a_number_of_any_length_is_cut_to_the_blob(header: str, expected: tuple[int, int]) -> None:
    assert requested(header, 10) == expected


def test_a_range_that_begins_far_beyond_the_blob_is_none() -> None:
    with pytest.raises(RangeInvalid):
        requested(f"bytes={'9' * 20}-", 10)


@given(st.text(max_size=20), st.integers(0, 10))
def test_no_header_breaks_anything(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            part = requested(header, size)
        except RangeInvalid:
            continue
        assert part is None or 0 <= part[0] <= part[1] < size


def test_an_empty_blob_has_no_range() -> None:
    assert requested(None, 0) is None
    for wanted in ("0-", "0-0", "-1"):
        with pytest.raises(RangeInvalid):
            requested(f"bytes={wanted}", 0)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("0-0", (0, 1)),
        ("200-511", (200, 312)),
        ("bytes 0-9/100", (0, 10)),
        ("bytes=0-9/*", (0, 10)),
        ("9-0", (-1, 0)),
        ("", (-1, 0)),
        ("0-", (-1, 0)),
        ("a-b", (-1, 0)),
        ("1-" + "9" * 30, (-1, 0)),
    ],
)
def test_where_a_chunk_belongs(header: str | None, expected: tuple[int, int] | None) -> None:
    assert announced(header) == expected


@pytest.mark.parametrize(("offset", "expected"), [(0, "0-0"), (1, "0-0"), (512, "0-511")])
def test_an_uploads_range_is_inclusive_and_without_unit(offset: int, expected: str) -> None:
    assert received(offset) == expected
