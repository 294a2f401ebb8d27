"""Starting quickly: ``history`` takes less time than what the standard library would import.

And what must be settled at the start for the end to be in order.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # signal makes enums of it, for a millisecond
import gc

_COLLECT_AFTER = 1_000_000
_ARENA_MAX = -8  # M_ARENA_MAX of mallopt(3)
_ENDINGS = (_signal.SIGTERM, _signal.SIGHUP)
_KILLED_BY = 128
"""Added to the number of the signal it is the exit code that shells know."""


def hurry() -> None:
    """Set Python up for a short run; to be called before anything large is imported."""
    # Importing makes many objects and no garbage; looking for some takes a tenth of `history`.
    # So does the tree of a large image, which has two objects a file.
    gc.set_threshold(_COLLECT_AFTER)


def end_in_order() -> None:
    """Let signals that ask to end be an exception: everything open is then closed on the way out.

    So the cursor comes back, and no temporary file stays. A signal that whoever started this
    process had ignored (``nohup``) stays ignored.
    """
    for number in _ENDINGS:
        if _signal.getsignal(number) == _signal.SIG_DFL:
            _signal.signal(number, _end)


def _end(number: int, _frame: object) -> None:
    for each in _ENDINGS:  # a second one must not break into the closing
        _signal.signal(each, _signal.SIG_IGN)
    raise SystemExit(_KILLED_BY + number)


def share_memory() -> None:
    """Let all threads take memory from one place, where the C library can be told to.

    glibc gives each thread places of its own, and keeps what is freed in them: a pull of many
    layers at once would take a quarter more at its peak. What is large is not taken from there.
    """
    import ctypes

    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_ARENA_MAX, 1)
