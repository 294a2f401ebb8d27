"""Signals are held, and heeded."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from nacre.hub.processes.stopping import heed, held


@pytest.fixture
def came() -> Iterator[list[int]]:
    """The signals that this process has handled."""
    numbers: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGTERM, before)


def send(number: int) -> None:
    # To this thread: others of whoever runs the tests were made before signals were held.
    signal.pthread_kill(threading.get_ident(), number)


def test_a_held_signal_comes_when_the_block_is_left(came: list[int]) -> None:
    with held():
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        assert came == []
    assert came == [signal.SIGTERM]


def test_blocks_may_lie_in_each_other(came: list[int]) -> None:
    with held():
        with held():
            send(signal.SIGTERM)
        assert came == []
    assert came == [signal.SIGTERM]


def test_a_held_signal_comes_when_it_is_heeded(came: list[int]) -> None:
    with held():
        send(signal.SIGTERM)
        heed()
        assert came == [signal.SIGTERM]


def test_they_are_held_no_longer_when_the_block_fails(came: list[int]) -> None:
    with pytest.raises(ValueError, match="no"), held():
        raise ValueError("no")
    send(signal.SIGTERM)
    assert came == [signal.SIGTERM]
