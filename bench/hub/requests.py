"""Small requests: how many a second, of 16 connections, from one processor to another."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.kit.figures import ratio
from bench.kit.load import rate
from bench.kit.processes import seconds as processor_seconds
from bench.kit.pushing import BASIC, Client, token
from bench.kit.results import table
from bench.kit.servers import Serving, add_user, docker_registry, hub

TITLE = "Small requests"
_REPOSITORY = "bench/app"
_WANTED = {"GET manifest by tag": 8, "HEAD manifest by tag": 8, "GET manifest by digest": 8,
           "HEAD manifest by digest": 8, "GET blob of 4 KiB": 5}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement: ``setting`` is auth and log, ``micros`` the processor time a request."""

    setting: str
    request: str
    server: str
    rate: float
    micros: float


@dataclass(frozen=True, slots=True)
class Setting:
    """How both servers are set up: ``proof`` is what the hub's requests show."""

    title: str
    auth: bool
    log: bool
    proof: str = ""
    pinned: bool = True


SETTINGS = (
    Setting("no auth, no access log", auth=False, log=False),
    Setting("no auth, access log", auth=False, log=True),
    Setting("Basic, no access log", auth=True, log=False, proof="basic"),
    Setting("Basic, access log", auth=True, log=True, proof="basic"),
    Setting("hub: Bearer, access log; docker-registry: Basic", auth=True, log=True, proof="bearer"),
    Setting("all processors, no auth, no access log", auth=False, log=False, pinned=False),
)


def measure(work: Path, *, rounds: int, seconds: int) -> dict[str, Any]:
    """Measure every setting, in rounds that go through both servers and all requests."""
    runs: list[Run] = []
    for number, setting in enumerate(SETTINGS):
        folder = work / f"requests-{number}"
        with ExitStack() as stack:
            servers = _started(stack, folder, setting)
            for _ in range(rounds):
                runs += _round(setting, servers, seconds)
        for request in _WANTED:
            print(_said(runs, setting.title, request), flush=True)
    return {"runs": [asdict(run) for run in runs], "rounds": rounds, "seconds": seconds}


def _started(stack: ExitStack, folder: Path, setting: Setting) -> list[tuple[Serving, Any]]:
    processor = 0 if setting.pinned else None
    options: dict[str, Any] = {"auth": setting.auth, "log": setting.log, "processor": processor}
    ours = stack.enter_context(hub(folder / "hub", **options))
    theirs = stack.enter_context(docker_registry(folder / "theirs", folder / "server", **options))
    if setting.auth:
        add_user(folder / "hub")
    servers = []
    for serving in (ours, theirs):
        proof: Mapping[str, str] = BASIC if setting.auth else {}
        with Client(serving, proof) as client:
            digests = client.put_image(_REPOSITORY, "latest", "small")
        if setting.proof == "bearer" and serving is ours:
            proof = token(serving, _REPOSITORY)
        servers.append((serving, (proof, digests)))
    return servers


def _round(setting: Setting, servers: list[tuple[Serving, Any]], seconds: int) -> Iterator[Run]:
    processor = 1 if setting.pinned and (os.cpu_count() or 1) > 1 else None
    for request in _WANTED:
        for serving, (proof, digests) in random.sample(servers, len(servers)):
            method, path = request.partition(" ")[0], _path(request, *digests)
            before = processor_seconds(serving.process)
            found = rate(
                serving, method, [path], seconds=seconds, headers=proof, processor=processor
            )
            spent = processor_seconds(serving.process) - before
            yield Run(setting.title, request, serving.name, found, spent / (found * seconds) * 1e6)


def _path(request: str, manifest: str, blob: str) -> str:
    if "blob" in request:
        return f"/v2/{_REPOSITORY}/blobs/{blob}"
    return f"/v2/{_REPOSITORY}/manifests/{'latest' if 'tag' in request else manifest}"


def _rates(runs: list[Run], setting: str, request: str, server: str) -> list[float]:
    return [r.rate for r in runs if (r.setting, r.request, r.server) == (setting, request, server)]


def _said(runs: list[Run], setting: str, request: str) -> str:
    ours = _rates(runs, setting, request, "nacre hub")
    theirs = _rates(runs, setting, request, "docker-registry")
    return (
        f"{setting}: {request}: {median(ours):.0f}/s, {median(theirs):.0f}/s: {ratio(ours, theirs)}"
    )


def render(raw: dict[str, Any]) -> str:
    """Return the tables."""
    runs = [Run(**each) for each in raw["runs"]]
    head = ("request", "nacre hub, /s", "docker-registry, /s", "ratio", "wanted",
            "nacre hub, CPU µs", "docker-registry, CPU µs")  # fmt: skip
    text = (
        f"Requests a second of 16 connections (wrk; ab for HEAD), {raw['rounds']} rounds of "
        f"{raw['seconds']} s; server and load each on a processor of its own, but for the last "
        "table. Here a larger ratio is better.\n"
    )
    for setting in dict.fromkeys(run.setting for run in runs):
        rows = []
        for request, wanted in _WANTED.items():
            ours = _rates(runs, setting, request, "nacre hub")
            theirs = _rates(runs, setting, request, "docker-registry")
            micros = [
                median(r.micros for r in runs
                       if (r.setting, r.request, r.server) == (setting, request, server))
                for server in ("nacre hub", "docker-registry")
            ]  # fmt: skip
            rows.append((request, f"{median(ours):,.0f}", f"{median(theirs):,.0f}",
                         f"**{ratio(ours, theirs)}**", f"{wanted}",
                         *(f"{each:.0f}" for each in micros)))  # fmt: skip
        text += f"\n{setting}\n\n{table(head, rows)}"
    return text
