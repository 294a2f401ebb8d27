"""A crew does its calls in order, at most so many at once, and stops at the first failure."""

from __future__ import annotations

import signal
import threading
from functools import partial

import pytest

from nacre.transports.crew import Cancelled, Crew


def test_every_call_is_done_before_do_returns() -> None:
    done: list[int] = []
    with Crew(3) as crew:
        crew.do(partial(done.append, each) for each in range(100))
        assert sorted(done) == list(range(100))
        crew.do([])


def test_one_thread_keeps_the_order() -> None:
    done: list[int] = []
    with Crew(1) as crew:
        crew.do(partial(done.append, each) for each in range(100))
    assert done == list(range(100))


def test_so_many_calls_run_at_once_and_no_more() -> None:
    together = threading.Barrier(3, timeout=60)
    lock, running, most = threading.Lock(), 0, 0

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait()
        with lock:
            running -= 1

    with Crew(3) as crew:
        crew.do([call] * 9)
    assert most == 3


def test_threads_serve_one_list_after_another_and_then_end() -> None:
    names: set[int | None] = set()
    with Crew(2) as crew:
        for _ in range(10):
            crew.do([lambda: names.add(threading.current_thread().ident)] * 4)
    assert len(names) <= 2
    assert not [each for each in threading.enumerate() if each.ident in names]


def test_the_first_failure_is_raised_and_the_rest_not_begun() -> None:
    begun: list[int] = []

    def fail() -> None:
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"), Crew(1) as crew:
        crew.do([fail, *(partial(begun.append, each) for each in range(10))])
    assert begun == []


def test_what_runs_is_told_of_a_failure_elsewhere() -> None:
    told = threading.Event()
    started = threading.Event()
    crew = Crew(2)

    def patient() -> None:
        started.set()
        try:
            while True:
                crew.check()
        except Cancelled:
            told.set()
            raise

    def fail() -> None:
        started.wait(60)
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"), crew:
        crew.do([patient, fail])
    assert told.is_set()


def test_check_lets_work_go_on_while_all_is_well() -> None:
    with Crew(1) as crew:
        crew.do([crew.check])


def test_an_interrupt_does_not_wait_for_what_hangs() -> None:
    hanging, awake = threading.Event(), threading.Event()
    crew = Crew(1)

    def hang() -> None:
        hanging.set()
        awake.wait(60)

    def interrupt() -> None:
        hanging.wait(60)
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.main_thread().ident or 0
    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt), crew:
        crew.do([hang])
    assert not awake.is_set()
    awake.set()
    other.join()
    for thread in crew._threads:
        thread.join()
