"""Time from a registry to a mounted tree, by image size and by number of files; see bench/run.

What is measured, and how, is as in bench/ready.py, whose contenders these are. One series of images
grows at the same number of files, another one has ever more files at the same size.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bench.kit import image, machine, results, tools
from bench.kit.cache import CACHE, published
from bench.kit.ending import end_in_order
from bench.kit.generated import Point, write_tar
from bench.kit.registry import registry
from bench.kit.stopwatch import stopwatch
from bench.ready import Run, contenders, rounds_of

_NAME = "scaling"
_FILES, _SIZE = 4_000, 200_000_000
_SERIES = {
    "size": [Point(size * 1_000_000, _FILES) for size in (20, 50, 120, 300, 800)],
    "files": [Point(_SIZE, files) for files in (1_000, 5_000, 20_000, 60_000)],
}
_TITLES = {
    "size": f"by size of the tar, {_FILES:,} files",
    "files": f"by number of files, {_SIZE // 1_000_000} MB",
}
_TOOLS = ("nacre, erofs", "nacre, overlay", "podman", "docker")
_POINTS = {point.name: point for points in _SERIES.values() for point in points}
_SHAPES = [
    image.Shape(name, name, image.LARGE.shares, image.LARGE.rootfs, parents=True)
    for name in _POINTS
]


def make_tar(shape: image.Shape, folder: Path) -> Path:
    """Return the tar of an image, made in ``folder``."""
    source = image.root_file_system(CACHE, shape.rootfs)
    return write_tar(folder / f"{shape.name}.tar", source, _POINTS[shape.name])


def measure(rounds: int) -> Iterator[Run]:
    """Run everything, saying how it goes."""
    with (
        stopwatch() as watch,
        tempfile.TemporaryDirectory(prefix="sc-", dir=CACHE) as work,
        registry(CACHE / "registry", Path(work) / "server", read_only=True) as served,
    ):
        for shape in _SHAPES:
            folder = Path(work) / shape.name
            folder.mkdir()
            with contenders(folder, served, shape) as ready:
                chosen = [each for each in ready if each.name in _TOOLS]
                environment = tools.Tools(folder, served).environment()
                yield from rounds_of(shape, chosen, rounds, watch, dict(environment), warm_up=False)


def render(runs: list[Run], about: str, sizes: dict[str, int]) -> str:
    """Return the section of RESULTS.md."""
    text = (
        "## From a registry to a mounted tree, by size and by number of files\n\n"
        "Seconds, and how many times those of nacre with erofs; medians. The images are made of "
        f"the bytes of a real root file system, in five layers.\n\n{about}"
    )
    for series, points in _SERIES.items():
        text += f"\n### {_TITLES[series]}\n\n"
        rows = [_row(point, runs, sizes) for point in points]
        text += results.table(("tar, files", "compressed", *_TOOLS), rows)
        text += f"\n![{_TITLES[series]}](results/{_NAME}-{series}.svg)\n"
    return text


def _row(point: Point, runs: list[Run], sizes: dict[str, int]) -> list[str]:
    walls = [_wall(runs, point, tool) for tool in _TOOLS]
    cells = [f"{walls[0]:.2f}", *(f"{wall:.2f} ({wall / walls[0]:.1f}x)" for wall in walls[1:])]
    what = f"{results.megabytes(point.size)}, {point.files:,}"
    return [what, results.megabytes(sizes[point.name]), *cells]


def _wall(runs: list[Run], point: Point, tool: str) -> float:
    return median(run.cost.wall for run in runs if run.shape == point.name and run.tool == tool)


def main() -> None:
    """Measure and write the results down."""
    parser = argparse.ArgumentParser(prog="bench/run scaling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    end_in_order()
    about = {
        "machine": machine.describe(),
        "tools": tools.versions("nacre", "podman", "dockerd"),
    }
    sizes = published(_SHAPES, make_tar)
    runs = list(measure(given.rounds))
    raw = {
        "titles": _TITLES,
        "tools": _TOOLS,
        "series": {
            series: [asdict(point) | {"name": point.name} for point in points]
            for series, points in _SERIES.items()
        },
        "sizes": sizes,
        "runs": [asdict(run) for run in runs],
    }
    results.save(_NAME, about | raw)
    facts = results.facts(*about.values(), {"rounds": str(given.rounds)})
    results.report(_NAME, render(runs, facts, sizes))


if __name__ == "__main__":
    main()
