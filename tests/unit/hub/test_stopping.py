"""Signals are held, and heeded."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from nacre.hub.stopping import heed, held


@pytest.fixture
def came() -> Iterator[list[int]]:
    """The signals that this process has handled."""
    numbers: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGTERM, before)


def test_a_held_signal_comes_when_the_block_is_left(came: list[int]) -> None:
    with held():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert came == []
    assert came == [signal.SIGTERM]


def test_blocks_may_lie_in_each_other(came: list[int]) -> None:
    with held():
        with held():
            os.kill(os.getpid(), signal.SIGTERM)
        assert came == []
    assert came == [signal.SIGTERM]


def test_a_held_signal_comes_when_it_is_heeded(came: list[int]) -> None:
    with held():
        os.kill(os.getpid(), signal.SIGTERM)
        heed()
        assert came == [signal.SIGTERM]


def test_they_are_held_no_longer_when_the_block_fails(came: list[int]) -> None:
    with pytest.raises(ValueError, match="no"), held():
        raise ValueError("no")
    os.kill(os.getpid(), signal.SIGTERM)
    assert came == [signal.SIGTERM]
