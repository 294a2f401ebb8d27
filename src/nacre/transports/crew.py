"""A crew: a few threads that do a list of things, all of it or as far as the first failure."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

Call = Callable[[], None]

_PATIENCE = 2.0


class Cancelled(Exception):
    """Work was given up because something else failed; the crew itself swallows it."""


class Crew:
    """Runs calls on ``size`` threads, in the order given; use it in a ``with`` block.

    ``do`` returns when all its calls have. When one raises, calls that have not begun never
    begin, running ones find `check` raising, and ``do`` raises the first error as it was. An
    interrupt (Ctrl-C) in the waiting thread does the same. No thread outlives the block, but for
    one that an interrupt finds waiting for a dead connection: it ends when it notices.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._changed = threading.Condition()
        self._waiting: deque[Call] = deque()
        self._busy = 0
        self._stopped = False
        self._failure: BaseException | None = None
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        # Whoever pressed Ctrl-C must not wait for a dead connection to time out.
        is_interrupt = kind is not None and not issubclass(kind, Exception)
        deadline = time.monotonic() + _PATIENCE if is_interrupt else None
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def do(self, calls: Iterable[Call]) -> None:
        """Run all calls and wait for them.

        Raises:
            BaseException: the first error that a call raised.
        """
        with self._changed:
            self._waiting.extend(calls)
            self._hire()
            self._changed.notify_all()
            while (self._waiting or self._busy) and not self._stopped:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure

    def check(self) -> None:
        """Raise when the work was given up; long calls ask at every chunk.

        Raises:
            Cancelled: it was.
        """
        if self._stopped:
            raise Cancelled

    def stop(self) -> None:
        """Give up: nothing that waits will begin, and what runs is told by `check`."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()

    def _hire(self) -> None:
        wanted = min(self._size, len(self._waiting))
        while len(self._threads) < wanted:
            # Daemons: one left behind by an interrupt does not keep the process alive.
            thread = threading.Thread(target=self._work, name="nacre-copy", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (call := self._next()) is not None:
            failure: BaseException | None = None
            try:
                call()
            except Cancelled:
                pass
            except BaseException as error:  # noqa: BLE001 - it is raised again by ``do``
                failure = error
            self._ended(failure)

    def _next(self) -> Call | None:
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            if self._stopped:
                return None
            self._busy += 1
            return self._waiting.popleft()

    def _ended(self, failure: BaseException | None) -> None:
        with self._changed:
            self._busy -= 1
            if failure is not None and not self._stopped:
                self._failure = failure
                self._stopped = True
                self._waiting.clear()
            self._changed.notify_all()
