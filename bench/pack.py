"""A changed tree becomes a layer in an OCI layout: nacre, and `buildah commit`; see bench/run.

The tree is half a gigabyte of a real root file system, the whole of it new. Both write a layout
with one image, every blob synced, once compressed and once not. buildah's working container has the
tree already; what is measured is the commit. GNU tar with gzip is there for the size.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench.kit import image, machine, results, tools
from bench.kit.cache import CACHE
from bench.kit.ending import end_in_order
from bench.kit.figures import ratio
from bench.kit.stopwatch import Cost, stopwatch, succeed

_NAME = "pack"
_PART = "./usr/lib"
_FORMS = ("gzip", "none")


@dataclass(frozen=True, slots=True)
class Run:
    """One commit; ``size`` is of the layer, in bytes."""

    form: str
    tool: str
    round: int
    cost: Cost
    size: int


@dataclass(frozen=True, slots=True)
class Packer:
    """A tool and what it writes to a layout."""

    name: str
    form: str
    argv: Callable[[Path], tuple[str | Path, ...]]


@contextmanager
def working_container(folder: Path, tar: Path) -> Iterator[tuple[Path, list[Packer]]]:
    """Give the tree, and both tools with it at hand."""
    upper = folder / "upper"
    upper.mkdir()
    succeed("tar", "-x", "-f", tar, "-C", upper, _PART)
    storage = (
        *("buildah", "--root", folder / "buildah", "--runroot", f"/run/{folder.name}"),
        *("--storage-driver", "overlay"),
    )
    container = succeed(*storage, "from", "scratch").strip()
    try:
        point = succeed(*storage, "mount", container).strip()
        succeed("tar", "-x", "-f", tar, "-C", point, _PART)
        yield (
            upper,
            [packer for form in _FORMS for packer in _packers(form, upper, storage, container)],
        )
    finally:
        succeed(*storage, "umount", container)
        succeed(*storage, "rm", container)
        # It may have mounted its own folder on itself.
        succeed("sh", "-c", f"umount {folder}/buildah/overlay 2>&1 || true")


def _packers(
    form: str, upper: Path, storage: tuple[str | Path, ...], container: str
) -> Iterator[Packer]:
    nacre = (sys.executable, "-m", "bench.kit.pack", upper)
    plain = f"--disable-compression={'false' if form == 'gzip' else 'true'}"
    commit = (*storage, "commit", "--quiet", "--format", "oci", plain, container)
    yield Packer("nacre", form, lambda layout: (*nacre, layout, form))
    yield Packer("buildah", form, lambda layout: (*commit, f"oci:{layout}:bench"))


def measure(rounds: int) -> tuple[list[Run], int, int]:
    """Run everything; return also how many bytes the files have, and what gzip -6 makes of them."""
    tar = image.root_file_system(CACHE, "files")
    draw = random.Random(_NAME)
    runs = []
    with stopwatch() as watch, tempfile.TemporaryDirectory(prefix="pk-", dir=CACHE) as work:
        folder = Path(work)
        with working_container(folder, tar) as (upper, packers):
            raw = sum(path.lstat().st_size for path in upper.rglob("*") if path.is_file())
            gzip = int(succeed("sh", "-c", f"tar -c -C {upper} . | gzip -6 | wc -c"))
            for number in range(-1, rounds):  # the first one warms up and does not count
                for packer in draw.sample(packers, len(packers)):
                    layout = folder / "layout"
                    shutil.rmtree(layout, ignore_errors=True)
                    succeed("sync")
                    cost = watch.measure(*packer.argv(layout), seconds=900)
                    size = max(path.stat().st_size for path in layout.rglob("*"))
                    print(f"{packer.name}, {packer.form}: {cost.wall:.2f} s", flush=True)
                    if number >= 0:
                        runs.append(Run(packer.form, packer.name, number, cost, size))
    return runs, raw, gzip


def render(runs: list[Run], about: str, raw: int, gzip: int) -> str:
    """Return the section of RESULTS.md."""
    rows = []
    for form in _FORMS:
        ours, theirs = (
            [run.cost.wall for run in runs if (run.form, run.tool) == (form, tool)]
            for tool in ("nacre", "buildah")
        )
        for tool, walls in (("nacre", ours), ("buildah commit", theirs)):
            of = [run for run in runs if run.form == form and run.tool == tool.split()[0]]
            rows.append(
                (
                    f"{tool}, {'gzip' if form == 'gzip' else 'not compressed'}",
                    f"{median(walls):.2f} ({min(walls):.2f})",
                    ratio(walls, ours),
                    results.megabytes(of[0].size),
                    f"{median(run.cost.cpu for run in of):.2f}",
                    results.megabytes(max(run.cost.peak for run in of)),
                )
            )
    head = ("", "s (least)", "times nacre's", "layer", "CPU s", "peak")
    return (
        "## A changed tree becomes a layer\n\n"
        "Wanted: at least 3 times faster than `buildah commit` with gzip, of a size within 10 % of "
        f"`gzip -6`, and 10 times without.\n\n{about}"
        f"- tree: {results.megabytes(raw)}; its tar by `gzip -6`: {results.megabytes(gzip)}\n\n"
        + results.table(head, rows)
        + f"\n![Packing](results/{_NAME}.svg)\n"
    )


def main() -> None:
    """Measure and write the results down."""
    parser = argparse.ArgumentParser(prog="bench/run pack", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    end_in_order()
    about = {"machine": machine.describe(), "tools": tools.versions("nacre", "buildah")}
    CACHE.mkdir(parents=True, exist_ok=True)
    runs, raw, gzip = measure(given.rounds)
    results.save(_NAME, {**about, "runs": [asdict(run) for run in runs]})
    results.report(_NAME, render(runs, results.facts(*about.values()), raw, gzip))


if __name__ == "__main__":
    main()
