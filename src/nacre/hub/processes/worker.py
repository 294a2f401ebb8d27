"""A worker as the process that keeps it sees it."""

from __future__ import annotations

import time
from multiprocessing.connection import wait

from granian.server.mp import WorkerProcess

from nacre.hub.processes.stopping import held

_MOMENT = 0.001  # seconds


class HeldWorker(WorkerProcess):
    """A worker that holds signals until its loop heeds them, and whose end is known at once."""

    def start(self) -> None:
        """Start it."""
        with held():
            super().start()  # type: ignore[no-untyped-call]

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end.

        Granian waits for it in a thread too. Where that one was told of the end, the process
        counts as alive until the thread has had a turn, and granian would then kill it.
        """
        super().join(timeout)  # type: ignore[no-untyped-call]
        if wait([self.inner.sentinel], 0):
            while self.inner.is_alive():
                time.sleep(_MOMENT)
