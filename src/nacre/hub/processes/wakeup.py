"""What wakes the process that keeps the workers; signal handlers may ring it at any moment."""

from __future__ import annotations

from queue import SimpleQueue


class Wakeup:
    """An event as `threading.Event` is one, without a lock.

    A handler runs between any two instructions of the main thread, those of another handler
    among them. Were a lock held there, setting the event would wait for it for ever. The queue of
    this one may be put to from within its own methods, as the standard library promises.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._rung: SimpleQueue[None] = SimpleQueue()

    def is_set(self) -> bool:
        """Say whether it was set and not cleared since."""
        return self._is_set

    def set(self) -> None:
        """Set it; whoever waits goes on."""
        self._is_set = True
        self._rung.put(None)

    def clear(self) -> None:
        """Let the next one wait."""
        self._is_set = False

    def wait(self) -> None:
        """Wait until it is set; for one thread only."""
        while not self._is_set:
            self._rung.get()
