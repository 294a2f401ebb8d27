"""Pushing an image again, to a new repository: how many bytes pass the socket; see bench/run.

`nacre push` from its store and `skopeo copy` from an OCI layout each push to a registry of their
own, which is empty, through a proxy that counts everything on the wire. The first push moves the
image; the second must move no layer.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.kit import image, machine, results, tools
from bench.kit.cache import CACHE, published
from bench.kit.ending import end_in_order
from bench.kit.registry import Registry, registry
from bench.kit.stopwatch import stopwatch, succeed
from bench.kit.tools import Tools
from tests.peers.proxy import counting_proxy

_NAME = "second_push"
_SHAPE = image.MIXED
_TOOLS = ("nacre", "skopeo")
_REPOSITORIES = ("first", "second")


@dataclass(frozen=True, slots=True)
class Push:
    """One push of one tool: bytes from client to server and back, connections, seconds."""

    tool: str
    repository: str
    sent: int
    received: int
    connections: int
    wall: float


class Pusher:
    """One tool, with the image at hand."""

    def __init__(self, tool: str, given: Tools, source: str) -> None:
        self._tool = tool
        self._given = given
        self._environment = given.environment()
        self._name = source.removeprefix("docker://")
        self._layout = f"oci:{given.folder / 'layout'}:bench"
        fetch = (
            given.nacre("pull", "--quiet", self._name)
            if tool == "nacre"
            else given.skopeo_copy(source, self._layout)
        )
        succeed(*fetch, env=self._environment)

    def push(self, target: str) -> float:
        """Push the image and return the seconds it took."""
        if self._tool == "skopeo":
            return self._timed(*self._given.skopeo_copy(self._layout, target))
        name = target.removeprefix("docker://")
        succeed(*self._given.nacre("tag", self._name, name), env=self._environment)
        return self._timed(*self._given.nacre("push", "--quiet", name))

    def _timed(self, *argv: str | Path) -> float:
        with stopwatch() as watch:
            return watch.measure(*argv, env=self._environment).wall


def measure() -> list[Push]:
    """Let both tools push twice."""
    with (
        tempfile.TemporaryDirectory(prefix="push-", dir=CACHE) as work,
        registry(CACHE / "registry", Path(work) / "source", read_only=True) as source,
    ):
        return [push for tool in _TOOLS for push in _pushes(tool, Path(work) / tool, source)]


def _pushes(tool: str, folder: Path, source: Registry) -> list[Push]:
    pushes = []
    with (
        registry(folder / "data", folder / "server") as target,
        counting_proxy(target.port) as proxy,
    ):
        seen = Registry(proxy.host, target.port, None)
        pusher = Pusher(tool, Tools(folder, seen), source.image(_SHAPE.name))
        for repository in _REPOSITORIES:
            proxy.sent = proxy.received = proxy.connections = 0
            wall = pusher.push(seen.image(repository))
            counts = (proxy.sent, proxy.received, proxy.connections)
            pushes.append(Push(tool, repository, *counts, wall))
    return pushes


def render(pushes: list[Push], about: str, size: int) -> str:
    """Return the section of RESULTS.md."""
    rows = [
        (
            f"{push.tool}, {push.repository} repository",
            f"{push.sent:,}",
            f"{push.received:,}",
            push.connections,
            f"{push.wall:.2f}",
        )
        for push in pushes
    ]
    head = ("push", "bytes sent", "bytes received", "connections", "s")
    return (
        "## Second push of an image, to a new repository\n\n"
        "Wanted: no layer moves again. Everything on the wire counts, headers included.\n\n"
        f"{about}- image: {_SHAPE.title}, {results.megabytes(size)} compressed\n\n"
        + results.table(head, rows)
    )


def main() -> None:
    """Measure and write the results down."""
    argparse.ArgumentParser(prog="bench/run second_push", description=__doc__).parse_args()
    end_in_order()
    about = {
        "machine": machine.describe(),
        "tools": tools.versions("nacre", "skopeo", "docker-registry"),
    }
    size = published([_SHAPE])[_SHAPE.name]
    pushes = measure()
    for push in pushes:
        print(f"{push.tool}, {push.repository}: {push.sent:,} bytes sent", flush=True)
    results.save(_NAME, {**about, "size": size, "pushes": [asdict(push) for push in pushes]})
    results.report(_NAME, render(pushes, results.facts(*about.values()), size))


if __name__ == "__main__":
    main()
