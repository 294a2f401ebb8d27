"""A changed tree becomes a layer in an OCI layout: nacre, and buildah; see bench/run.

The tree is half a gigabyte of a real root file system, the whole of it new: programs, libraries and
headers. The end is a layout with one image of it, once compressed and once not; nacre syncs every
blob, buildah none, so in a column of their own all are charged with a `sync` after them. buildah's
working container has the tree already. Two ways of it are measured:

- ``buildah commit`` and then the push to the layout, which is how images are made and handed on;
- ``buildah commit`` straight to the layout, which keeps no image here and saves half of the work.

In layouts ``buildah push`` compresses whatever it is told, so for the plain form skopeo pushes from
buildah's storage. GNU tar with gzip is there for the size.
"""

from __future__ import annotations

import argparse
import random
import shlex
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
_PARTS = ("./usr/bin", "./usr/include", "./usr/lib", "./usr/sbin")
_FORMS = ("gzip", "none")
_TOOLS = ("nacre", "buildah commit, push", "buildah commit")
_IMAGE = "localhost/bench"


@dataclass(frozen=True, slots=True)
class Run:
    """One commit; ``size`` is of the layer, in bytes, ``sync`` what a sync took after it, in s."""

    form: str
    tool: str
    round: int
    cost: Cost
    size: int
    sync: float


@dataclass(frozen=True, slots=True)
class Packer:
    """A tool and how it comes from the tree to a layout."""

    tool: str
    form: str
    argv: Callable[[Path], tuple[str | Path, ...]]


@dataclass(frozen=True, slots=True)
class Buildah:
    """buildah with a storage of its own."""

    root: Path
    runroot: Path

    def __call__(self, *args: str | Path) -> tuple[str | Path, ...]:
        """Return a command line."""
        places = ("--root", self.root, "--runroot", self.runroot, "--storage-driver", "overlay")
        return ("buildah", *places, *args)

    def image(self) -> str:
        """Return the name of the committed image, for skopeo."""
        return f"containers-storage:[overlay@{self.root}+{self.runroot}]{_IMAGE}"

    def forget_image(self) -> None:
        """Remove the committed image, if there is one."""
        if succeed(*self("images", "--quiet")).strip():
            succeed(*self("rmi", "--all", "--force"))


@contextmanager
def working_container(folder: Path, tar: Path) -> Iterator[tuple[Path, Buildah, list[Packer]]]:
    """Give the tree, and both tools with it at hand."""
    upper = folder / "upper"
    upper.mkdir()
    succeed("tar", "-x", "-f", tar, "-C", upper, *_PARTS)
    buildah = Buildah(folder / "buildah", Path("/run") / folder.name)
    container = succeed(*buildah("from", "scratch")).strip()
    try:
        point = succeed(*buildah("mount", container)).strip()
        succeed("tar", "-x", "-f", tar, "-C", point, *_PARTS)
        packers = [one for form in _FORMS for one in _packers(form, upper, buildah, container)]
        yield upper, buildah, packers
    finally:
        succeed(*buildah("umount", container))
        succeed(*buildah("rm", container))
        # It may have mounted its own folder on itself.
        succeed("sh", "-c", f"umount {buildah.root}/overlay 2>&1 || true")
        shutil.rmtree(buildah.runroot, ignore_errors=True)


def _packers(form: str, upper: Path, buildah: Buildah, container: str) -> Iterator[Packer]:
    nacre = (sys.executable, "-m", "bench.kit.pack", upper)
    yield Packer("nacre", form, lambda layout: (*nacre, layout, form))
    commit = buildah("commit", "--quiet", "--format", "oci", container, _IMAGE)
    yield Packer(
        "buildah commit, push", form, lambda layout: _both(commit, _push(form, buildah, layout))
    )
    plain = f"--disable-compression={'false' if form == 'gzip' else 'true'}"
    direct = buildah("commit", "--quiet", "--format", "oci", plain, container)
    yield Packer("buildah commit", form, lambda layout: (*direct, f"oci:{layout}:bench"))


def _push(form: str, buildah: Buildah, layout: Path) -> tuple[str | Path, ...]:
    target = f"oci:{layout}:bench"
    if form == "gzip":
        return buildah("push", "--quiet", _IMAGE, target)
    skopeo = ("skopeo", "--insecure-policy", "copy", "--quiet")
    return (*skopeo, "--dest-oci-accept-uncompressed-layers", buildah.image(), target)


def _both(*commands: tuple[str | Path, ...]) -> tuple[str, ...]:
    return ("sh", "-c", " && ".join(shlex.join(map(str, command)) for command in commands))


def measure(rounds: int) -> tuple[list[Run], int, int]:
    """Run everything; return also how many bytes the files have, and what gzip -6 makes of them."""
    tar = image.root_file_system(CACHE, "files")
    draw = random.Random(_NAME)
    runs = []
    with stopwatch() as watch, tempfile.TemporaryDirectory(prefix="pk-", dir=CACHE) as work:
        folder = Path(work)
        with working_container(folder, tar) as (upper, buildah, packers):
            raw = sum(path.lstat().st_size for path in upper.rglob("*") if path.is_file())
            gzip = int(succeed("sh", "-c", f"tar -c -C {upper} . | gzip -6 | wc -c"))
            for number in range(-1, rounds):  # the first one warms up and does not count
                for packer in draw.sample(packers, len(packers)):
                    layout = folder / "layout"
                    shutil.rmtree(layout, ignore_errors=True)
                    buildah.forget_image()
                    succeed("sync")
                    cost = watch.measure(*packer.argv(layout), seconds=900)
                    sync = watch.measure("sync").wall
                    size = max(path.stat().st_size for path in layout.rglob("*"))
                    done = Run(packer.form, packer.tool, number, cost, size, sync)
                    print(f"{done.tool}, {done.form}: {cost.wall:.2f} s + {sync:.2f}", flush=True)
                    if number >= 0:
                        runs.append(done)
    return runs, raw, gzip


def render(runs: list[Run], about: str, raw: int, gzip: int) -> str:
    """Return the section of RESULTS.md."""
    rows = []
    for form in _FORMS:
        by_tool = {
            tool: [run for run in runs if (run.form, run.tool) == (form, tool)] for tool in _TOOLS
        }
        ours, ours_synced = _walls(by_tool["nacre"]), _synced(by_tool["nacre"])
        for tool, of in by_tool.items():
            walls, synced = _walls(of), _synced(of)
            rows.append(
                (
                    f"{tool}: {'gzip' if form == 'gzip' else 'not compressed'}",
                    f"{median(walls):.2f} ({min(walls):.2f})",
                    ratio(walls, ours),
                    f"{median(synced):.2f}",
                    ratio(synced, ours_synced),
                    results.megabytes(of[0].size),
                    f"{median(run.cost.cpu for run in of):.2f}",
                    results.megabytes(max(run.cost.peak for run in of)),
                )
            )
    head = ("", "s (least)", "times nacre's", "with `sync`, s", "times nacre's", "layer",
            "CPU s", "peak")  # fmt: skip
    return (
        "## A changed tree becomes a layer\n\n"
        "Wanted: at least 3 times faster than `buildah commit` and push to a layout with gzip, of "
        "a size within 10 % of `gzip -6`, and 10 times without. Straight to the layout, buildah "
        "keeps no image of its own and does half of the work. nacre's time includes fsync, "
        f"buildah's does not; with `sync`, both are as durable.\n\n{about}"
        f"- tree: {results.megabytes(raw)}, cached; its tar by `gzip -6`: "
        f"{results.megabytes(gzip)}; nacre's is {_excess(runs, gzip):.1%} larger\n\n"
        + results.table(head, rows)
        + f"\n![Packing](results/{_NAME}.svg)\n"
    )


def _walls(runs: list[Run]) -> list[float]:
    return [run.cost.wall for run in runs]


def _synced(runs: list[Run]) -> list[float]:
    return [run.cost.wall + run.sync for run in runs]


def _excess(runs: list[Run], gzip: int) -> float:
    (size, *_) = (run.size for run in runs if (run.form, run.tool) == ("gzip", "nacre"))
    return size / gzip - 1


def main() -> None:
    """Measure and write the results down."""
    parser = argparse.ArgumentParser(prog="bench/run pack", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    end_in_order()
    about = {"machine": machine.describe(), "tools": tools.versions("nacre", "buildah", "skopeo")}
    CACHE.mkdir(parents=True, exist_ok=True)
    runs, raw, gzip = measure(given.rounds)
    results.save(_NAME, {**about, "runs": [asdict(run) for run in runs]})
    results.report(_NAME, render(runs, results.facts(*about.values()), raw, gzip))


if __name__ == "__main__":
    main()
