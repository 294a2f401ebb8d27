"""When a hub heeds the signals that end it, or have it read its settings anew.

A signal asks for order: it waits where order could not be kept. A process that is forked has the
handlers of its parent, which do nothing for it, until it has set its own: what it was sent before
that would be lost, and it would have to be killed.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def held() -> Iterator[None]:
    """Let these signals wait until the block is left; a process that it forks, until it heeds them.

    For the thread in which signals are handled.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def heed() -> None:
    """Take the signals that were held, and those that come."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def leave_renewing_to_the_parent() -> None:
    """Ignore SIGHUP, which a terminal that closes sends to all processes of a hub."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
