"""From a registry to a mounted root file system: nacre, podman, docker, umoci; see bench/run.

Every tool begins with an empty store and ends with the image's tree at hand: nacre and podman have
it mounted, docker as far as `docker pull` goes (its engine is started by hand, so it mounts when a
container is made), umoci has unpacked what skopeo fetched. podman and docker are those of this
machine and those of the next Debian, which run in a root file system of their own. Interleaved: in
each round every tool runs once, in a new order, everything written back before it begins. nacre's
time includes fsync; in a column of their own all are charged with a `sync` after them, so that all
are as durable.

The floor is the work that cannot be avoided: inflate every layer, hash both of its streams, write
the tar. It is measured in every round too, without a network: in one thread, whose processor time
is what ours is held against, and in one for each processor, whose time no program could beat that
does this work with the same libraries.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench.kit import image, machine, results, tools
from bench.kit.cache import CACHE, published
from bench.kit.ending import end_in_order
from bench.kit.figures import ratio
from bench.kit.later import LaterDebian, later_debian
from bench.kit.registry import Registry, registry
from bench.kit.stopwatch import Cost, Stopwatch, stopwatch, succeed
from bench.kit.tools import Tools
from tests.peers.docker import DockerEngine, running_docker
from tests.peers.later_debian import RELEASE

_NAME = "ready"
_SHAPES = (image.SLIM, image.LARGE)
_FLOOR = "floor"
_PARALLEL = "floor, parallel"
_TITLES = {
    "nacre, erofs": "`nacre pull` and `image mount`, driver erofs",
    "nacre, overlay": "the same, driver overlay",
    "podman": "`podman pull` and `image mount`, overlay",
    "podman, later": f"`podman pull` and `image mount`, overlay, of {RELEASE}",
    "docker": "`docker pull`, overlay2",
    "docker, later": f"`docker pull`, overlay2, of {RELEASE}",
    "umoci": "`skopeo copy` and `umoci raw unpack`",
    _FLOOR: "inflate, two hashes, one write, fsync",
    _PARALLEL: "the same, with a thread for each processor",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one tool; ``sync`` is what writing everything back took after it, in seconds."""

    shape: str
    tool: str
    round: int
    cost: Cost
    sync: float


@dataclass(frozen=True, slots=True)
class Contender:
    """A tool: the shell commands that are measured, and what puts everything back."""

    name: str
    commands: str
    clean: Callable[[], object]


@contextmanager
def contenders(folder: Path, served: Registry, shape: image.Shape) -> Iterator[list[Contender]]:
    """Give all tools of this machine, each with an empty store, below ``folder`` or beside it."""
    given = Tools(folder, served)
    source = served.image(shape.name)
    name = source.removeprefix("docker://")
    with running_docker(below=CACHE) as engine:
        yield [
            _nacre("erofs", folder, given, name),
            _nacre("overlay", folder, given, name),
            _podman("podman", folder, name),
            _docker("docker", folder, engine, name),
            _umoci(folder, given, source),
            _floor(_FLOOR, folder, shape, 1),
            _floor(_PARALLEL, folder, shape, len(os.sched_getaffinity(0))),
        ]


@contextmanager
def later_contenders(
    folder: Path, served: Registry, shape: image.Shape, later: LaterDebian
) -> Iterator[list[Contender]]:
    """Give podman and docker of the next Debian, as `contenders` does those of this machine."""
    name = served.image(shape.name).removeprefix("docker://")
    with running_docker(below=CACHE, prefix=later.prefix) as engine:
        yield [
            _podman("podman, later", folder, name, later.prefix),
            _docker("docker, later", folder, engine, name),
        ]


def _nacre(driver: str, folder: Path, given: Tools, name: str) -> Contender:
    store, point = folder / f"nacre-{driver}", folder / f"point-{driver}"
    point.mkdir()
    nacre = f"{given.nacre()[0]} --root {store} --storage-driver {driver}"

    def clean() -> None:
        succeed("sh", "-c", f"{nacre} image unmount {point} || true", env=given.environment())
        shutil.rmtree(store, ignore_errors=True)

    commands = f"{nacre} pull --quiet {name} && {nacre} image mount {name} {point}"
    return Contender(f"nacre, {driver}", commands, clean)


def _podman(title: str, folder: Path, name: str, prefix: tuple[str, ...] = ()) -> Contender:
    # Not below folder: podman refuses a run root with a path of more than 50 characters.
    run_root = f"/run/nacre-bench-{folder.name}"
    root = folder / title.replace(", ", "-")
    storage = ("--root", str(root), "--runroot", run_root, "--storage-driver", "overlay")
    podman = " ".join((*prefix, "podman", *storage))

    def clean() -> None:
        succeed(
            "sh", "-c", f"{podman} image unmount --all; {podman} image rm --all --force || true"
        )
        succeed(*prefix, "rm", "-rf", run_root)

    commands = f"{podman} pull --quiet --tls-verify=false {name} && {podman} image mount {name}"
    return Contender(title, commands, clean)


def _docker(title: str, folder: Path, engine: DockerEngine, name: str) -> Contender:
    client = " ".join(engine.client(folder / "home").argv)
    return Contender(
        title,
        f"{client} pull --quiet {name}",
        lambda: succeed("sh", "-c", f"{client} image rm --force {name} || true"),
    )


def _umoci(folder: Path, given: Tools, source: str) -> Contender:
    layout, tree = folder / "umoci-layout", folder / "umoci-tree"
    copy = " ".join(map(str, given.skopeo_copy(source, f"oci:{layout}:bench")))

    def clean() -> None:
        for place in (layout, tree):
            shutil.rmtree(place, ignore_errors=True)

    return Contender("umoci", f"{copy} && umoci raw unpack --image {layout}:bench {tree}", clean)


def _floor(title: str, folder: Path, shape: image.Shape, threads: int) -> Contender:
    target = folder / title.replace(", ", "-")
    blobs = CACHE / "registry"
    return Contender(
        title,
        f"{sys.executable} -m bench.kit.floor {blobs} {shape.name} {target} {threads}",
        lambda: shutil.rmtree(target, ignore_errors=True),
    )


def measure(rounds: int, only: list[str] | None, later: LaterDebian) -> Iterator[Run]:
    """Run everything, saying how it goes."""
    with (
        stopwatch() as watch,
        tempfile.TemporaryDirectory(prefix="rd-", dir=CACHE) as work,
        registry(CACHE / "registry", Path(work) / "server", read_only=True) as served,
    ):
        for shape in _SHAPES:
            folder = Path(work) / shape.name
            folder.mkdir()
            with (
                contenders(folder, served, shape) as here,
                later_contenders(folder, served, shape, later) as there,
            ):
                chosen = [each for each in here + there if not only or each.name in only]
                environment = Tools(folder, served).environment()
                yield from rounds_of(shape, chosen, rounds, watch, dict(environment))


def rounds_of(
    shape: image.Shape,
    chosen: list[Contender],
    rounds: int,
    watch: Stopwatch,
    environment: dict[str, str],
    *,
    warm_up: bool = True,
) -> Iterator[Run]:
    """Let every contender run once a round; one that warms up comes first and does not count."""
    draw = random.Random(shape.name)
    with ExitStack() as stack:
        for contender in chosen:
            stack.callback(contender.clean)
        for number in range(-1 if warm_up else 0, rounds):
            for contender in draw.sample(chosen, len(chosen)):
                contender.clean()
                succeed("sync")
                cost = watch.measure("sh", "-ec", contender.commands, env=environment, seconds=900)
                sync = watch.measure("sync").wall
                took = f"{cost.wall:.2f} s + {sync:.2f} s"
                print(f"{shape.name}, {contender.name}: {took}", flush=True)
                if number >= 0:
                    yield Run(shape.name, contender.name, number, cost, sync)


def render(runs: list[Run], about: str, sizes: dict[str, int]) -> str:
    """Return the section of RESULTS.md."""
    text = (
        "## From a registry to a mounted tree\n\n"
        "Wanted: nacre with erofs at least 10 times faster than podman and docker on the large "
        "image, 5 times on the small one, and within 1.5 times the floor's processor time; with "
        "overlay no slower than the fastest other. podman and docker are measured twice: those of "
        f"this machine, and those of {RELEASE}, in a root file system of their own. docker's "
        "engine is a process of its own, whose processor time and memory are not counted. nacre's "
        "time includes fsync, theirs does not; with `sync`, all are as durable."
        f"\n\n{about}"
    )
    for shape in _SHAPES:
        text += f"\n### {shape.title}, {results.megabytes(sizes[shape.name])} compressed\n\n"
        here = [run for run in runs if run.shape == shape.name]
        text += _table(here) + _against_floor(here)
        text += f"\n![{shape.title}](results/{_NAME}-{shape.name}.svg)\n"
    return text


def _table(runs: list[Run]) -> str:
    head = ("", "s (least)", "times erofs'", "with `sync`, s", "times erofs'", "CPU s", "peak")
    ours, ours_synced = _walls(runs, "nacre, erofs"), _synced(runs, "nacre, erofs")
    rows = []
    for tool, title in _TITLES.items():
        walls = _walls(runs, tool)
        if not walls:
            continue
        costs, synced = [run.cost for run in runs if run.tool == tool], _synced(runs, tool)
        rows.append(
            (
                title,
                f"{median(walls):.2f} ({min(walls):.2f})",
                ratio(walls, ours) if ours else "",
                f"{median(synced):.2f}",
                ratio(synced, ours_synced) if ours else "",
                f"{median(cost.cpu for cost in costs):.2f}",
                results.megabytes(max(cost.peak for cost in costs)),
            )
        )
    return results.table(head, rows)


def _against_floor(runs: list[Run]) -> str:
    """Say how much our runs take beyond the work that cannot be avoided."""
    floor = [run.cost.cpu for run in runs if run.tool == _FLOOR]
    ours = [run.cost for run in runs if run.tool == "nacre, erofs"]
    if not floor or not ours:
        return ""
    return (
        "\nTo the floor's processor time: the time of nacre with erofs is "
        f"{ratio([cost.wall for cost in ours], floor)} times as much, its processor time "
        f"{ratio([cost.cpu for cost in ours], floor)}.\n"
    )


def _walls(runs: list[Run], tool: str) -> list[float]:
    return [run.cost.wall for run in runs if run.tool == tool]


def _synced(runs: list[Run], tool: str) -> list[float]:
    return [run.cost.wall + run.sync for run in runs if run.tool == tool]


def main() -> None:
    """Measure and write the results down."""
    parser = argparse.ArgumentParser(prog="bench/run ready", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", choices=list(_TITLES), help="nothing is saved")
    given = parser.parse_args()
    end_in_order()
    about = {
        "machine": machine.describe(),
        "tools": tools.versions("nacre", "podman", "dockerd", "umoci", "skopeo"),
    }
    sizes = published(_SHAPES)
    with later_debian() as later:
        about["tools"] |= later.versions("podman", "dockerd")
        runs = list(measure(given.rounds, given.only, later))
    if given.only:
        return
    raw = {
        "shapes": {each.name: each.title for each in _SHAPES},
        "titles": _TITLES,
        "sizes": sizes,
        "runs": [asdict(run) for run in runs],
    }
    results.save(_NAME, about | raw)
    results.report(_NAME, render(runs, results.facts(*about.values()), sizes))


if __name__ == "__main__":
    main()
