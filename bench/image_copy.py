"""Registry to OCI layout: `nacre image copy` beside `skopeo copy`; see bench/run.

Three settings: plain http and TLS on loopback, and a link with 50 ms round-trip delay, each with
the same root file system cut into layers in three ways. In every round both tools run once, the
order turning from round to round, each into a fresh folder on the same disk, everything written
back before it begins. Both sync every blob; nacre also folders and index, so in a column of its
own skopeo is charged with a `sync` of the file system after it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.kit import image, linkspeed, machine, results, tools
from bench.kit.cache import CACHE, published
from bench.kit.delaylink import delayed_link
from bench.kit.ending import end_in_order
from bench.kit.figures import ratio
from bench.kit.namespace import HERE, Namespace
from bench.kit.registry import Registry, registry
from bench.kit.stopwatch import Cost, Stopwatch, stopwatch, succeed
from bench.kit.tools import Tools

_NAME = "image_copy"
_ONE_WAY = 0.025


@dataclass(frozen=True, slots=True)
class Setting:
    """How client and registry are joined."""

    name: str
    title: str
    tls: bool
    delay: bool


SETTINGS = (
    Setting("http", "plain http, loopback", tls=False, delay=False),
    Setting("tls", "TLS, loopback", tls=True, delay=False),
    Setting("delay", "plain http, 50 ms round trip", tls=False, delay=True),
    Setting("delay-tls", "TLS, 50 ms round trip", tls=True, delay=True),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one tool; ``sync`` is what writing everything back took after it, in seconds."""

    setting: str
    shape: str
    tool: str
    round: int
    cost: Cost
    sync: float


class Course:
    """One setting, ready to be run: a registry, the place of the client, both tools."""

    def __init__(
        self, setting: Setting, client: Namespace, served: Registry, folder: Path, watch: Stopwatch
    ) -> None:
        self._setting = setting
        self._client = client
        self._served = served
        self._target = folder / "target"
        self._watch = watch
        self._tools = Tools(folder, served)
        self._environment = self._tools.environment()

    def rounds(self, shape: image.Shape, count: int) -> Iterator[Run]:
        """Run both tools ``count`` times, after once to warm the page cache and agree on bytes."""
        digests = {tool: self._digest(shape, tool) for tool in ("nacre", "skopeo")}
        if len(set(digests.values())) != 1:
            raise AssertionError(f"not the same image: {digests}")
        for number in range(count):
            order = ("nacre", "skopeo") if number % 2 else ("skopeo", "nacre")
            for tool in order:
                yield self._run(shape, tool, number)

    def _run(self, shape: image.Shape, tool: str, number: int) -> Run:
        shutil.rmtree(self._target, ignore_errors=True)
        succeed("sync")
        cost = self._watch.measure(*self._argv(shape, tool), env=self._environment)
        sync = self._watch.measure("sync", "-f", self._target)
        return Run(self._setting.name, shape.name, tool, number, cost, sync.wall)

    def _digest(self, shape: image.Shape, tool: str) -> str:
        self._run(shape, tool, -1)
        index = json.loads((self._target / "index.json").read_text())
        return str(index["manifests"][0]["digest"])

    def _argv(self, shape: image.Shape, tool: str) -> tuple[str, ...]:
        source, target = self._served.image(shape.name), f"oci:{self._target}:bench"
        argv = (
            self._tools.nacre("image", "copy", "--quiet", source, target)
            if tool == "nacre"
            else self._tools.skopeo_copy(source, target)
        )
        return self._client.enter(*map(str, argv))


@contextmanager
def course(setting: Setting, folder: Path, watch: Stopwatch) -> Iterator[Course]:
    """Set a registry up as a setting wants it."""
    data = CACHE / "registry"
    if setting.delay:
        with (
            delayed_link(_ONE_WAY) as link,
            registry(data, folder, tls=setting.tls, read_only=True, at=link.server) as served,
        ):
            yield Course(setting, link.client, served, folder, watch)
    else:
        with registry(data, folder, tls=setting.tls, read_only=True) as served:
            yield Course(setting, HERE, served, folder, watch)


def measure(settings: list[Setting], rounds: int, delayed_rounds: int) -> list[Run]:
    """Run everything, saying how it goes."""
    runs = []
    with (
        stopwatch() as watch,
        tempfile.TemporaryDirectory(prefix="copy-", dir=CACHE) as work,
    ):
        for setting in settings:
            with course(setting, Path(work) / setting.name, watch) as ready:
                for shape in image.SHAPES:
                    count = delayed_rounds if setting.delay else rounds
                    done = list(ready.rounds(shape, count))
                    runs += done
                    print(f"{setting.name}, {shape.name}: {_compared(done, 'wall')}", flush=True)
    return runs


def _compared(runs: list[Run], what: str) -> str:
    ours, theirs = _of(runs, "nacre", what), _of(runs, "skopeo", what)
    return f"{median(ours):.2f} s, skopeo {median(theirs):.2f} s, ratio {ratio(ours, theirs)}"


def _of(runs: list[Run], tool: str, what: str) -> list[float]:
    return [float(getattr(run.cost, what)) for run in runs if run.tool == tool]


def render(runs: list[Run], about: str, sizes: dict[str, int]) -> str:
    """Return the section of RESULTS.md."""
    text = (
        "## Registry to OCI layout: nacre image copy, skopeo copy\n\n"
        f"Wanted: ratios of at most 1.\n\n{about}"
    )
    for setting in SETTINGS:
        rows = [
            _row(shape, chosen, sizes[shape.name])
            for shape in image.SHAPES
            if (chosen := [r for r in runs if (r.setting, r.shape) == (setting.name, shape.name)])
        ]
        if rows:
            text += f"\n### {setting.title}\n\n{results.table(_COLUMNS, rows)}"
            text += f"\n![{setting.title}](results/{_NAME}-{setting.name}.svg)\n"
    return text


_COLUMNS = (
    "image", "rounds", "nacre, s (least)", "skopeo, s (least)", "ratio", "skopeo + sync, s",
    "ratio to that", "nacre, CPU s", "skopeo, CPU s", "nacre, peak", "skopeo, peak",
)  # fmt: skip


def _row(shape: image.Shape, runs: list[Run], size: int) -> list[object]:
    ours, theirs = _of(runs, "nacre", "wall"), _of(runs, "skopeo", "wall")
    synced = [run.cost.wall + run.sync for run in runs if run.tool == "skopeo"]
    return [
        f"{shape.title}, {results.megabytes(size)}",
        len(ours),
        f"{median(ours):.2f} ({min(ours):.2f})",
        f"{median(theirs):.2f} ({min(theirs):.2f})",
        f"**{ratio(ours, theirs)}**",
        f"{median(synced):.2f}",
        ratio(ours, synced),
        *(f"{median(_of(runs, tool, 'cpu')):.2f}" for tool in ("nacre", "skopeo")),
        *(results.megabytes(max(_of(runs, tool, "peak"))) for tool in ("nacre", "skopeo")),
    ]


def main() -> None:
    """Measure and write the results down."""
    parser = argparse.ArgumentParser(prog="bench/run image_copy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="on loopback")
    parser.add_argument("--delayed-rounds", type=int, default=7, help="with delay")
    parser.add_argument(
        "--setting", action="append", choices=[each.name for each in SETTINGS], help="only this"
    )
    given = parser.parse_args()
    end_in_order()
    settings = [each for each in SETTINGS if not given.setting or each.name in given.setting]
    about: dict[str, Any] = {"machine": machine.describe()}
    about["tools"] = tools.versions("nacre", "skopeo", "docker-registry")
    sizes = published(image.SHAPES)
    about["link"] = linkspeed.describe(_ONE_WAY) if any(each.delay for each in settings) else {}
    runs = measure(settings, given.rounds, given.delayed_rounds)
    raw = {
        "settings": {each.name: each.title for each in SETTINGS},
        "shapes": {each.name: each.title for each in image.SHAPES},
        "sizes": sizes,
        "runs": [asdict(run) for run in runs],
    }
    results.save(_NAME, about | raw)
    results.report(_NAME, render(runs, results.facts(*about.values()), sizes))


if __name__ == "__main__":
    main()
