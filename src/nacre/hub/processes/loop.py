"""The event loop of a worker, which tells the server once to stop, and never loses that.

Uvloop handles signals only while it runs. It runs first for the start of the application, and
again for the server; a signal in between would be lost, so signals wait for the second run. What
the first has made, its threads too, holds them for good: they are for the loop alone.

Granian's handler blocks for ever, and the whole process with it, when it is called again before
the server has begun to stop. But a worker is easily told twice: by a terminal, which tells all
processes, and by the process that keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVarTuple

import uvloop
from granian import loops

from nacre.hub.processes.stopping import heed

Ts = TypeVarTuple("Ts")

NAME = "nacre"
"""What granian knows this loop by."""


class WorkerLoop(uvloop.Loop):
    """A uvloop that heeds signals from its second run on, and calls one handler, once."""

    _has_run = False
    _is_told = False

    def run_forever(self) -> None:
        """Run until stopped."""
        if self._has_run:
            self.call_soon(heed)
        self._has_run = True
        super().run_forever()

    def add_signal_handler(self, sig: int, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call ``callback`` at the signal, unless another was handled before."""

        def tell() -> None:
            if not self._is_told:
                self._is_told = True
                callback(*args)

        super().add_signal_handler(sig, tell)


@loops.register(NAME)
def _make() -> WorkerLoop:
    loop = WorkerLoop()
    asyncio.set_event_loop(loop)
    return loop
