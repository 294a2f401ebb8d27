"""Commands that only look at local images: how long until they have answered; see bench/run.

nacre's beside a bare `python -c pass`, the floor for anything in Python, and the same questions to
podman and skopeo. Interleaved: in every round each command runs once, in a new order.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench.kit import image, machine, results, tools
from bench.kit.cache import CACHE
from bench.kit.ending import end_in_order
from bench.kit.figures import ratio
from bench.kit.namespace import HERE
from bench.kit.registry import Registry
from bench.kit.stopwatch import Cost, Stopwatch, stopwatch, succeed
from bench.kit.tools import Tools

_NAME = "startup"
_IMAGE = "bench.test/small:bench"
_LAYERS = 12
_FLOOR = "python -c pass"
# What nacre's commands are compared with, beside the floor.
_RIVALS = {
    "nacre history": "podman history",
    "nacre inspect": "podman inspect",
    "nacre images": "podman images",
    "nacre --version": "podman --version",
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command by the name that the results give it."""

    name: str
    argv: tuple[str | Path, ...]


@contextmanager
def commands() -> Iterator[tuple[list[Command], Mapping[str, str]]]:
    """Give the commands, each with a store that has a small image of twelve layers."""
    with tempfile.TemporaryDirectory(prefix="startup-", dir=CACHE) as work:
        folder = Path(work)
        layout = folder / "layout"
        image.write_small(layout, _LAYERS)
        given = Tools(folder, Registry(HERE.address, 0, None))
        environment = given.environment()
        for argv in _filled(given, folder, layout):
            succeed(*argv, env=environment)
        yield _commands(given, folder, layout), environment


def _podman(folder: Path, *args: str) -> tuple[str | Path, ...]:
    # Not under folder: podman refuses a run root with a path of more than 50 characters.
    storage = ("--root", folder / "podman", "--runroot", f"/run/{folder.name}")
    return ("podman", *storage, "--storage-driver", "vfs", *args)


def _filled(given: Tools, folder: Path, layout: Path) -> Iterator[tuple[str | Path, ...]]:
    yield given.nacre("image", "copy", "--quiet", f"oci:{layout}:bench", _IMAGE)
    archive = folder / "image.tar"
    yield given.skopeo_copy(f"oci:{layout}:bench", f"docker-archive:{archive}:{_IMAGE}")
    yield _podman(folder, "load", "--quiet", "--input", str(archive))


def _commands(given: Tools, folder: Path, layout: Path) -> list[Command]:
    return [
        Command(_FLOOR, (sys.executable, "-c", "pass")),
        Command("nacre --version", given.nacre("--version")),
        Command("nacre history", given.nacre("history", _IMAGE)),
        Command("nacre inspect", given.nacre("inspect", _IMAGE)),
        Command("nacre images", given.nacre("images")),
        Command("podman --version", _podman(folder, "--version")),
        Command("podman history", _podman(folder, "history", _IMAGE)),
        Command("podman inspect", _podman(folder, "inspect", _IMAGE)),
        Command("podman images", _podman(folder, "images")),
        Command("skopeo inspect oci:", ("skopeo", "inspect", f"oci:{layout}:bench")),
    ]


def measure(watch: Stopwatch, rounds: int) -> dict[str, list[Cost]]:
    """Run all commands so many times, after once to warm the page cache."""
    shuffled = random.Random(rounds)
    with commands() as (todo, environment):
        costs: dict[str, list[Cost]] = {command.name: [] for command in todo}
        for number in range(-1, rounds):
            for command in shuffled.sample(todo, len(todo)):
                cost = watch.measure(*command.argv, env=environment)
                if number >= 0:
                    costs[command.name].append(cost)
    return costs


def render(costs: dict[str, list[Cost]], about: str) -> str:
    """Return the section of RESULTS.md."""
    head = ("command", "wall, ms (least)", "to the floor", "to podman's", "CPU, ms", "peak")
    walls = {name: [cost.wall for cost in runs] for name, runs in costs.items()}
    rows = [
        (
            f"`{name}`",
            f"{median(walls[name]) * 1e3:.1f} ({min(walls[name]) * 1e3:.1f})",
            ratio(walls[name], walls[_FLOOR]),
            ratio(walls[name], walls[_RIVALS[name]]) if name in _RIVALS else "",
            f"{median(cost.cpu for cost in runs) * 1e3:.0f}",
            results.megabytes(max(cost.peak for cost in runs)),
        )
        for name, runs in costs.items()
    ]
    rounds = len(costs[_FLOOR])
    return (
        "## Start-up: looking at local images\n\n"
        "Wanted: history and inspect within four times the floor (60 ms where it is 15).\n\n"
        f"{about}- rounds: {rounds}\n- image: {_LAYERS} layers\n\n{results.table(head, rows)}"
        f"\n![Start-up](results/{_NAME}.svg)\n"
    )


def main() -> None:
    """Measure and write the results down."""
    parser = argparse.ArgumentParser(prog="bench/run startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    given = parser.parse_args()
    end_in_order()
    about = {"machine": machine.describe(), "tools": tools.versions("nacre", "podman", "skopeo")}
    CACHE.mkdir(parents=True, exist_ok=True)
    with stopwatch() as watch:
        costs = measure(watch, given.rounds)
    for name, runs in costs.items():
        print(f"{name}: {median(cost.wall for cost in runs) * 1e3:.1f} ms", flush=True)
    raw = {name: [asdict(cost) for cost in runs] for name, runs in costs.items()}
    results.save(_NAME, {**about, "runs": raw})
    results.report(_NAME, render(costs, results.facts(*about.values())))


if __name__ == "__main__":
    main()
