"""A worker's loop tells its server of signals: once, and of each that came while it stood still."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator

import pytest

from nacre.hub.processes.loop import WorkerLoop
from nacre.hub.processes.stopping import held


@pytest.fixture
def loop() -> Iterator[WorkerLoop]:
    """A loop as in a worker: with signals held."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with held():
        made = WorkerLoop()
        yield made
        made.close()
        # A closed loop leaves handlers behind that do nothing.
        for number, handler in before.items():
            signal.signal(number, handler)


def told_by(loop: WorkerLoop) -> list[int]:
    """Return a list that gets the signals that the server is told of."""
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.append, number)
    return told


def send(number: int) -> None:
    # To this thread: others of whoever runs the tests were made before signals were held.
    signal.pthread_kill(threading.get_ident(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_between_two_runs_is_not_lost(loop: WorkerLoop, number: int) -> None:
    told = told_by(loop)
    loop.run_until_complete(asyncio.sleep(0))
    send(number)
    loop.run_until_complete(asyncio.sleep(0.05))
    assert told == [number]


def test_a_signal_before_the_second_run_waits_for_it(loop: WorkerLoop) -> None:
    told = told_by(loop)
    send(signal.SIGTERM)
    loop.run_until_complete(asyncio.sleep(0.05))
    assert told == []
    loop.run_until_complete(asyncio.sleep(0.05))
    assert told == [signal.SIGTERM]


def test_of_many_signals_the_first_is_told(loop: WorkerLoop) -> None:
    told = told_by(loop)
    loop.run_until_complete(asyncio.sleep(0))

    async def many() -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
            send(number)
            await asyncio.sleep(0.02)

    loop.run_until_complete(many())
    assert told == [signal.SIGTERM]


def test_a_thread_of_the_first_run_takes_no_signal(loop: WorkerLoop) -> None:
    def blocked() -> set[int]:
        return {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())}

    taken = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    assert loop.run_until_complete(loop.run_in_executor(None, blocked)) >= taken
    loop.run_until_complete(loop.shutdown_default_executor())
