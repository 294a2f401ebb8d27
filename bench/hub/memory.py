"""Memory of the hub while fifty clients push and two hundred pull slowly."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.kit.processes import resident, together, watched
from bench.kit.pushing import Client, digest_of
from bench.kit.results import megabytes, table
from bench.kit.servers import Serving, hub

TITLE = "Memory"
_REPOSITORY = "bench/memory"
_PUSHES, _PULLS = 50, 200
_SLOWLY = 0.25  # seconds between two reads of a slow pull
_PIECE = 16 * 1024
_SALT = 64


@dataclass(frozen=True, slots=True)
class Phase:
    """A time of some load: memory of all processes together, and of each, in bytes."""

    name: str
    seconds: float
    peak: int
    each: list[int]


def measure(work: Path, *, size: int, **more: str) -> dict[str, Any]:
    """Push and pull blobs of ``size`` bytes; ``more`` goes into the hub's environment."""
    phases: list[Phase] = []
    shared = random.randbytes(size - _SALT)
    with hub(work / "memory"):
        pass  # the first start makes the tables, with what no later start loads
    with hub(work / "memory", log=True, more=more) as serving:
        still = sorted(resident(serving.process).values())
        phases.append(Phase("started", 0, together(serving.process), still))
        print(_said(phases[0]), flush=True)
        digest = digest_of(shared)
        with Client(serving) as client:
            client.push(_REPOSITORY, memoryview(shared), digest)
        with ThreadPoolExecutor(_PUSHES) as pool:
            pushes = partial(_pushes, pool, serving, shared)
            phases.append(_phase(f"{_PUSHES} pushes", serving, pushes))
            with _SlowPulls(serving, digest):
                pulls = f"{_PULLS} slow pulls"
                phases.append(_phase(pulls, serving, partial(time.sleep, 5)))
                phases.append(_phase(f"{_PUSHES} pushes and {pulls}", serving, pushes))
    return {"phases": [asdict(phase) for phase in phases], "size": size}


def _phase(name: str, serving: Serving, load: Callable[[], object]) -> Phase:
    began = time.perf_counter()
    with watched(serving.process) as memory:
        load()
    phase = Phase(name, time.perf_counter() - began, memory.peak, sorted(memory.each.values()))
    print(_said(phase), flush=True)
    return phase


def _said(phase: Phase) -> str:
    each = " + ".join(map(megabytes, phase.each))
    return f"{phase.name}: {megabytes(phase.peak)} ({each}) in {phase.seconds:.0f} s"


def _pushes(pool: ThreadPoolExecutor, serving: Serving, shared: bytes) -> None:
    list(pool.map(lambda _: _push(serving, shared), range(_PUSHES)))


def _push(serving: Serving, shared: bytes) -> None:
    """Push a blob that differs from all others in its first bytes, without a copy of the rest."""
    salt = random.randbytes(_SALT)
    with Client(serving) as client:
        client.push_in_pieces(_REPOSITORY, (salt, shared))


class _SlowPulls:
    """Connections that pull a blob, a little at a time, as long as the block lasts."""

    def __init__(self, serving: Serving, digest: str) -> None:
        self._serving = serving
        self._path = f"/v2/{_REPOSITORY}/blobs/{digest}"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._pull)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    def _pull(self) -> None:
        request = f"GET {self._path} HTTP/1.1\r\nHost: {self._serving.host}\r\n\r\n".encode()
        pulls = []
        for _ in range(_PULLS):
            pulls.append(socket.create_connection(("127.0.0.1", self._serving.port)))
            pulls[-1].sendall(request)
        while not self._done.wait(_SLOWLY):
            for pull in pulls:
                if not pull.recv(_PIECE):
                    raise ConnectionError("a slow pull was cut off")
        for pull in pulls:
            pull.close()


def render(raw: dict[str, Any]) -> str:
    """Return the table."""
    head = ("load", "all processes", "each", "s")
    rows = [
        (each["name"], f"**{megabytes(each['peak'])}**", " + ".join(map(megabytes, each["each"])),
         f"{each['seconds']:.0f}")
        for each in raw["phases"]
    ]  # fmt: skip
    return (
        f"The hub alone, with its access log; blobs of {megabytes(raw['size'])}. Resident memory, "
        'the most that was seen: in "all processes" what they share counts once (PSS), in each it '
        "counts in full (RSS). Wanted: below 200 MB.\n\n"
        f"{table(head, rows)}"
    )
