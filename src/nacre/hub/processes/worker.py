"""A worker as the process that keeps it sees it."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterable
from multiprocessing.connection import wait
from pathlib import Path

from granian.server.mp import WorkerProcess

from nacre.hub.processes.stopping import held

_MOMENT = 0.001  # seconds
_PARENT_KNOWS = 1.0
"""How long after a worker that was told to stop its parent heeds the same signal, in seconds."""


class HeldWorker(WorkerProcess):
    """A worker that holds signals until its loop heeds them, and whose end is known at once."""

    def start(self) -> None:
        """Start it."""
        with held():
            super().start()  # type: ignore[no-untyped-call]

    def _watcher(self) -> None:
        """Wait for its end, and say so where nobody asked for that.

        Whoever told it to stop may have told its parent too, and it was quicker: then the parent
        says within a moment that this end is none to speak of.
        """
        self.inner.join()
        known = time.monotonic() + _PARENT_KNOWS
        while self.inner.exitcode == 0 and not self.interrupt_by_parent:
            if time.monotonic() > known:
                break
            time.sleep(_MOMENT)
        super()._watcher()  # type: ignore[no-untyped-call]

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end.

        Granian waits for it in a thread too. Where that one was told of the end, the process
        counts as alive until the thread has had a turn, and granian would then kill it.
        """
        super().join(timeout)  # type: ignore[no-untyped-call]
        if wait([self.inner.sentinel], 0):
            while self.inner.is_alive():
                time.sleep(_MOMENT)


def living(workers: Iterable[WorkerProcess]) -> list[WorkerProcess]:
    """Return those that have not ended."""
    return [worker for worker in workers if worker.is_alive()]  # type: ignore[no-untyped-call]


def serves(worker: WorkerProcess) -> bool:
    """Return whether it serves by now: that is when its loop heeds signals."""
    try:
        status = Path(f"/proc/{worker.inner.pid}/status").read_text()
    except OSError:
        return False
    blocked = re.search(r"^SigBlk:\s*([0-9a-f]+)$", status, re.MULTILINE)
    is_held = blocked is None or int(blocked[1], 16) >> (signal.SIGTERM - 1) & 1
    return not is_held and worker.is_alive()  # type: ignore[no-untyped-call]
