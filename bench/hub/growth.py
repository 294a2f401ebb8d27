"""From ten blobs to a million: what a request costs, how long the start takes."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.kit.hub_records import Filled, fill_with_blobs
from bench.kit.load import rate
from bench.kit.processes import seconds as processor_seconds
from bench.kit.processes import together
from bench.kit.results import megabytes, table
from bench.kit.servers import Serving, hub

TITLE = "From ten blobs to a million"
SIZES = (10, 1000, 100_000, 1_000_000)
_REQUESTS = ("GET manifest by tag", "GET blob of 4 KiB")
_STARTS = 5
# What works in the background has its own times; here it would count as a request's.
_NO_JOBS = {
    "NACRE_HUB_COLLECTION_INTERVAL": "0s",
    "NACRE_HUB_COLLECTION_RETENTION_INTERVAL": "0s",
    "NACRE_HUB_COLLECTION_JOURNAL": "24h",
}


@dataclass(frozen=True, slots=True)
class Point:
    """A hub with so many blobs: seconds to start, processor microseconds of each request."""

    blobs: int
    database: int
    memory: int
    starts: list[float]
    micros: dict[str, list[float]]


def measure(work: Path, *, rounds: int, seconds: int) -> dict[str, Any]:
    """Measure a hub of each size; requests go through two thousand things of it in turn."""
    filled = {}
    for size in SIZES:
        print(f"writing the records of {size:,} blobs", flush=True)
        filled[size] = fill_with_blobs(work / f"growth-{size}", size)
    points = []
    for size in SIZES:
        data = work / f"growth-{size}"
        points.append(_measured(data, size, filled[size], rounds, seconds))
        print(points[-1], flush=True)
    return {"points": [asdict(point) for point in points], "rounds": rounds}


def _measured(data: Path, size: int, filled: Filled, rounds: int, seconds: int) -> Point:
    starts = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        with hub(data, processor=0):
            starts.append(time.perf_counter() - began)
    micros: dict[str, list[float]] = {request: [] for request in _REQUESTS}
    with hub(data, processor=0, more=_NO_JOBS) as serving:
        asked = (filled.manifests, filled.blobs)
        for number in range(-1, rounds):
            for request, paths in zip(_REQUESTS, asked, strict=True):
                spent = processor_seconds(serving.process)
                answered = _asked(serving, paths, seconds)
                spent = processor_seconds(serving.process) - spent
                if number >= 0:
                    micros[request].append(spent / answered * 1e6)
        memory = together(serving.process)
    return Point(size, (data / "hub.db").stat().st_size, memory, starts, micros)


def _asked(serving: Serving, paths: list[str], seconds: int) -> float:
    load = 1 if (os.cpu_count() or 1) > 1 else None
    return rate(serving, "GET", paths, seconds=seconds, processor=load) * seconds


def render(raw: dict[str, Any]) -> str:
    """Return the table."""
    head = ("blobs", "database", "start, s (least)", "memory after",
            *(f"{request}, CPU µs" for request in _REQUESTS))  # fmt: skip
    rows = [
        (f"{point['blobs']:,}", megabytes(point["database"]),
         f"{median(point['starts']):.2f} ({min(point['starts']):.2f})", megabytes(point["memory"]),
         *(f"{median(point['micros'][request]):.0f}" for request in _REQUESTS))
        for point in raw["points"]
    ]  # fmt: skip
    return (
        "The hub alone, one processor. Wanted: the same cost with a million blobs as with ten, "
        "and a start below 1 s (until the first answer). Requests go through two thousand tags "
        f"and blobs.\n\n{table(head, rows)}\n![Cost of a request](results/hub-growth.svg)\n"
    )
