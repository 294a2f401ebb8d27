"""The event that signal handlers set."""

from __future__ import annotations

import signal
import threading
import time

from nacre.hub.processes.wakeup import Wakeup


def test_it_is_set_until_it_is_cleared() -> None:
    wakeup = Wakeup()
    assert not wakeup.is_set()
    wakeup.set()
    wakeup.set()
    assert wakeup.is_set()
    wakeup.wait()
    wakeup.clear()
    assert not wakeup.is_set()


def test_what_was_set_before_it_was_cleared_wakes_nobody() -> None:
    wakeup = Wakeup()
    wakeup.set()
    wakeup.clear()
    began = time.monotonic()
    threading.Timer(0.2, wakeup.set).start()
    wakeup.wait()
    assert time.monotonic() - began > 0.1


def test_handlers_set_it_whatever_they_break_into() -> None:
    """Handlers also break into each other; with an event of ``threading`` this never ends."""
    wakeup = Wakeup()

    def ring(number: int, _frame: object) -> None:
        wakeup.set()
        if number == signal.SIGALRM:
            signal.raise_signal(signal.SIGUSR1)

    numbers = signal.SIGALRM, signal.SIGUSR1
    before = [signal.signal(number, ring) for number in numbers]
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for _ in range(1000):
            wakeup.clear()
            wakeup.wait()
            wakeup.set()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
