"""Large blobs: pushed and pulled by one connection, of new random bytes each round."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.kit.figures import ratio
from bench.kit.processes import seconds as processor_seconds
from bench.kit.pushing import BASIC, Client, digest_of
from bench.kit.results import table
from bench.kit.servers import Serving, add_user, docker_registry, hub

TITLE = "Large blobs"
_REPOSITORY = "bench/large"
_REQUESTS = ("push", "push, on the disk", "GET")


@dataclass(frozen=True, slots=True)
class Run:
    """One transfer: seconds on the clock, and of the server's processor time."""

    setting: str
    request: str
    server: str
    wall: float
    cpu: float


def measure(work: Path, *, rounds: int, size: int) -> dict[str, Any]:
    """Push and pull blobs of ``size`` bytes with the access log and auth off, then on."""
    runs: list[Run] = []
    for is_on in (False, True):
        title = "Basic, access log" if is_on else "no auth, no access log"
        folder = work / f"transfers-{is_on}"
        with ExitStack() as stack:
            ours = stack.enter_context(hub(folder / "hub", auth=is_on, log=is_on))
            theirs = stack.enter_context(
                docker_registry(folder / "theirs", folder / "server", auth=is_on, log=is_on)
            )
            if is_on:
                add_user(folder / "hub")
            for number in range(-1, rounds):
                measured = list(_round(title, [ours, theirs], size, is_on=is_on))
                runs += measured if number >= 0 else []  # the first warms up
        for request in _REQUESTS:
            print(f"{title}: {request}: {_ratio(runs, title, request)}", flush=True)
    return {"runs": [asdict(run) for run in runs], "rounds": rounds, "size": size}


def _round(setting: str, servers: list[Serving], size: int, *, is_on: bool) -> Iterator[Run]:
    data = random.randbytes(size)
    digest = digest_of(data)
    proof = BASIC if is_on else {}
    for serving in random.sample(servers, len(servers)):
        with Client(serving, proof) as client:
            os.sync()
            push = partial(client.push, _REPOSITORY, memoryview(data), digest)
            pushed, synced = _timed(serving, push), _timed(serving, os.sync)
            yield Run(setting, "push", serving.name, *pushed)
            total = pushed[0] + synced[0]
            yield Run(setting, "push, on the disk", serving.name, total, pushed[1])
            path = f"/v2/{_REPOSITORY}/blobs/{digest}"
            client.drain(path)
            yield Run(setting, "GET", serving.name, *_timed(serving, partial(client.drain, path)))


def _timed(serving: Serving, work: Callable[[], object]) -> tuple[float, float]:
    spent, began = processor_seconds(serving.process), time.perf_counter()
    work()
    wall = time.perf_counter() - began
    return wall, processor_seconds(serving.process) - spent


def _walls(runs: list[Run], setting: str, request: str, server: str) -> list[float]:
    return [r.wall for r in runs if (r.setting, r.request, r.server) == (setting, request, server)]


def _ratio(runs: list[Run], setting: str, request: str) -> Any:
    """Return how many times as fast the hub is."""
    theirs = _walls(runs, setting, request, "docker-registry")
    return ratio(theirs, _walls(runs, setting, request, "nacre hub"))


def render(raw: dict[str, Any]) -> str:
    """Return the table."""
    runs = [Run(**each) for each in raw["runs"]]
    size = raw["size"]
    head = ("setting, request", "nacre hub, MB/s", "docker-registry, MB/s", "ratio",
            "nacre hub, CPU ms", "docker-registry, CPU ms")  # fmt: skip
    rows = []
    for setting in dict.fromkeys(run.setting for run in runs):
        for request in _REQUESTS:
            speeds, costs = [], []
            for server in ("nacre hub", "docker-registry"):
                speeds.append(size / 1e6 / median(_walls(runs, setting, request, server)))
                costs.append(median(r.cpu for r in runs if (r.setting, r.request, r.server)
                                    == (setting, request, server)))  # fmt: skip
            rows.append((f"{setting}: {request}", *(f"{speed:,.0f}" for speed in speeds),
                         f"**{_ratio(runs, setting, request)}**",
                         *(f"{cost * 1e3:.0f}" for cost in costs)))  # fmt: skip
    return (
        f"Random blobs of {size / 1e6:.0f} MB, {raw['rounds']} rounds; pushes are POST, PATCH, "
        "PUT, as docker's. A ratio above 1: the hub is faster; wanted: at least 1. nacre hub "
        'answers a push when the blob is on the disk, docker-registry before; "on the disk" '
        f"counts a `sync` after it.\n\n{table(head, rows)}"
    )
