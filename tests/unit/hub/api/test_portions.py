"""How much uploads gather: much while they are few, and never too much together."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from nacre.hub.api.body import LEAST, MOST, TOGETHER, Portions


def sizes(uploads: int) -> int:
    """Return the portion of each of some uploads."""
    portions = Portions()
    with ExitStack() as stack:
        for _ in range(uploads):
            stack.enter_context(portions.one_more())
        return portions.size


@pytest.mark.parametrize("uploads", [1, 2, 8])
def test_few_uploads_get_the_most(uploads: int) -> None:
    assert sizes(uploads) == MOST


def test_many_share_and_each_has_two_buffers() -> None:
    assert LEAST < sizes(50) < MOST
    assert 50 * 2 * sizes(50) <= TOGETHER


def test_each_has_its_least() -> None:
    assert sizes(10_000) == LEAST


def test_an_upload_that_ended_counts_no_more() -> None:
    portions = Portions()
    with pytest.raises(ZeroDivisionError), portions.one_more():
        raise ZeroDivisionError
    for _ in range(100):
        with portions.one_more():
            pass
    assert portions.size == MOST
