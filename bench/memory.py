"""Peak memory of moving an image, by the size of its one layer; see bench/run.

The layer is a tar of random bytes, so that compression makes nothing smaller. Each command runs in
a process of its own; what counts is its peak resident set size, which the kernel keeps.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.kit import image, machine, results, tools
from bench.kit.cache import CACHE
from bench.kit.ending import end_in_order
from bench.kit.registry import Registry, registry
from bench.kit.stopwatch import Cost, Stopwatch, stopwatch, succeed
from bench.kit.tools import Tools

_NAME = "memory"
_MB = 1_000_000
_SIZES = (10 * _MB, 100 * _MB, 500 * _MB, 2000 * _MB)


@dataclass(frozen=True, slots=True)
class Run:
    """One command over an image whose layer has ``size`` bytes."""

    size: int
    command: str
    cost: Cost


def measure(sizes: list[int]) -> Iterator[Run]:
    """Run every command on every size."""
    with stopwatch() as watch:
        for size in sizes:
            with tempfile.TemporaryDirectory(prefix="memory-", dir=CACHE) as work:
                folder = Path(work)
                image.write_random(folder / "layout", size)
                yield from _commands(folder, size, watch)


def _commands(folder: Path, size: int, watch: Stopwatch) -> Iterator[Run]:
    with (
        registry(folder / "from", folder / "from-server") as source,
        registry(folder / "to", folder / "to-server") as target,
    ):
        given = Tools(folder, source)
        environment = given.environment()
        first = f"oci:{folder / 'layout'}:bench"
        succeed(*given.skopeo_copy(first, source.image("noise")), env=environment)
        for name, argv in _argvs(given, folder, source, target):
            cost = watch.measure(*argv, env=environment)
            print(f"{name}, {size // _MB} MB: {results.megabytes(cost.peak)}", flush=True)
            yield Run(size, name, cost)


def _argvs(
    given: Tools, folder: Path, source: Registry, target: Registry
) -> Iterator[tuple[str, tuple[str | Path, ...]]]:
    """Go through the commands; each finds what the one before it left."""
    here, there = source.image("noise"), target.image("noise")
    name, new_name = here.removeprefix("docker://"), there.removeprefix("docker://")
    archive = folder / "saved.tar"
    other = Tools(folder / "other", source)
    yield "nacre image copy", given.nacre("image", "copy", "-q", here, f"oci:{folder / 'ours'}:a")
    yield "skopeo copy", given.skopeo_copy(here, f"oci:{folder / 'theirs'}:a")
    yield "nacre pull", given.nacre("pull", "--quiet", name)
    succeed(*given.nacre("tag", name, new_name), env=given.environment())
    yield "nacre push", given.nacre("push", "--quiet", new_name)
    yield "nacre save", given.nacre("save", "--output", archive, name)
    yield "nacre load", other.nacre("load", "--quiet", "--input", archive)


def render(runs: list[Run], about: str) -> str:
    """Return the section of RESULTS.md."""
    sizes = sorted({run.size for run in runs})
    by_command: dict[str, list[Run]] = {}
    for run in runs:
        by_command.setdefault(run.command, []).append(run)
    rows = [
        (f"`{name}`", *(f"{results.megabytes(run.cost.peak)}, {run.cost.wall:.1f} s" for run in of))
        for name, of in by_command.items()
    ]
    head = ("command", *(f"layer of {size // _MB} MB" for size in sizes))
    return (
        "## Peak memory by layer size\n\nWanted: under 80 MB, whatever the size.\n\n"
        f"{about}\n{results.table(head, rows)}"
        f"\n![Peak memory](results/{_NAME}.svg)\n"
    )


def main() -> None:
    """Measure and write the results down."""
    parser = argparse.ArgumentParser(prog="bench/run memory", description=__doc__)
    parser.add_argument("--largest", type=int, default=_SIZES[-1] // _MB, help="in MB")
    given = parser.parse_args()
    end_in_order()
    about = {
        "machine": machine.describe(),
        "tools": tools.versions("nacre", "skopeo", "docker-registry"),
    }
    CACHE.mkdir(parents=True, exist_ok=True)
    runs = list(measure([size for size in _SIZES if size <= given.largest * _MB]))
    results.save(_NAME, {**about, "runs": [asdict(run) for run in runs]})
    results.report(_NAME, render(runs, results.facts(*about.values())))


if __name__ == "__main__":
    main()
