"""No worker outlives the process that keeps it.

When that one is killed, nobody is left to stop its workers, which would hold the address and the
records for ever. Each of them watches it, and ends by itself, after the requests in flight.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process


@contextmanager
def tethered() -> Iterator[None]:
    """End this process by SIGTERM when its parent ends; without such a parent, do nothing."""
    parent = parent_process()
    if parent is None:
        yield
        return
    loop, ended = asyncio.get_running_loop(), parent.sentinel

    def end() -> None:
        loop.remove_reader(ended)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(ended, end)
    try:
        yield
    finally:
        loop.remove_reader(ended)
