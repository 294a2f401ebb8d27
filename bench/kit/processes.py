"""A process and its children: processor time and memory while they run, and their end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_EVERY = 0.1
_PATIENCE = 20.0


@dataclass
class Memory:
    """The most resident memory seen, in bytes: of all processes together, and of each.

    Together, what they share counts once (PSS); in each, it counts in full (RSS).
    """

    peak: int = 0
    each: dict[int, int] = field(default_factory=dict)


def family(process: int) -> list[int]:
    """Return a process and all that came from it."""
    found = [process]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):  # a thread that has ended
                found += map(int, task.read_text().split())
    return found


def end(processes: Iterable[int]) -> None:
    """Ask processes to end and wait until they have; the slow ones are killed."""
    left = set(processes)
    deadline = time.monotonic() + _PATIENCE
    _signal(left, signal.SIGTERM)
    while left := {one for one in left if _is_running(one)}:
        if time.monotonic() > deadline:
            _signal(left, signal.SIGKILL)
        time.sleep(_EVERY)


def _signal(processes: Iterable[int], number: int) -> None:
    for one in processes:
        with suppress(ProcessLookupError):
            os.kill(one, number)


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def seconds(process: int) -> float:
    """Return the processor time of a process and all that came from it, in seconds."""
    total = 0
    for one in family(process):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def resident(process: int) -> dict[int, int]:
    """Return the resident memory of a process and of each that came from it, in bytes."""
    return {one: _kilobytes(one, "Rss") for one in family(process)}


def together(process: int) -> int:
    """Return the memory of a process and all that came from it; what they share counts once."""
    return sum(_kilobytes(one, "Pss") for one in family(process))


def _kilobytes(process: int, name: str) -> int:
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def watched(process: int) -> Iterator[Memory]:
    """Give what is filled with the memory of a process and its children until the block ends."""
    memory, done = Memory(), threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY):
            memory.peak = max(memory.peak, together(process))
            for one, size in resident(process).items():
                memory.each[one] = max(memory.each.get(one, 0), size)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        done.set()
        thread.join()
