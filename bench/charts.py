"""Draws results/*.json as results/*.svg; bench/run does it after every benchmark.

The only part that needs matplotlib, which is why it is a process with an environment of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.kit.results import FOLDER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {
    "nacre": "#1f6f8b",
    "skopeo": "#c97b36",
    "podman": "#8a5a9e",
    "docker": "#2f7d4f",
    "python": "#888888",
}
_PLAIN = "#888888"
_STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.alpha": 0.3,
    "svg.fonttype": "none",
    "svg.hashsalt": "nacre",
}
# Without these the file would say when it was drawn, and by what.
_NAMELESS = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def copies(raw: dict[str, Any]) -> None:
    """Draw every run of both tools, one chart a setting."""
    for setting, title in raw["settings"].items():
        runs = [run for run in raw["runs"] if run["setting"] == setting]
        shapes = [shape for shape in raw["shapes"] if any(run["shape"] == shape for run in runs)]
        if not runs:
            continue
        figure, axes = _chart(f"registry to OCI layout: {title}", 1 + 0.7 * len(shapes))
        for place, shape in enumerate(reversed(shapes)):
            for shift, tool in ((0.15, "nacre"), (-0.15, "skopeo")):
                walls = [
                    run["cost"]["wall"]
                    for run in runs
                    if (run["shape"], run["tool"]) == (shape, tool)
                ]
                _dots(axes, place + shift, walls, tool, label=tool if place == 0 else None)
        axes.set_yticks(range(len(shapes)), [raw["shapes"][shape] for shape in reversed(shapes)])
        axes.set_ylim(-0.5, len(shapes) - 0.5)
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds (dots: runs, bars: medians)")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        _write(figure, f"image_copy-{setting}")


def startup(raw: dict[str, Any]) -> None:
    """Draw every run of every command."""
    names = list(reversed(raw["runs"]))
    figure, axes = _chart("start-up: looking at local images", 0.8 + 0.28 * len(names))
    for place, name in enumerate(names):
        walls = [run["wall"] * 1e3 for run in raw["runs"][name]]
        _dots(axes, place, walls, name.split()[0])
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(left=0)
    axes.set_xlabel("milliseconds (dots: runs, bars: medians)")
    _write(figure, "startup")


def memory(raw: dict[str, Any]) -> None:
    """Draw peak memory over the size of the layer."""
    figure, axes = _chart("peak memory by layer size", 3.4)
    for name in dict.fromkeys(run["command"] for run in raw["runs"]):
        runs = [run for run in raw["runs"] if run["command"] == name]
        style = ("-", None) if name.startswith("nacre") else ("--", _COLOURS["skopeo"])
        axes.plot(
            [run["size"] / 1e6 for run in runs],
            [run["cost"]["peak"] / 1e6 for run in runs],
            marker="o",
            markersize=3,
            linestyle=style[0],
            color=style[1],
            label=name,
        )
    axes.set_xscale("log")
    axes.set_ylim(0, 85)
    axes.axhline(80, color=_PLAIN, linewidth=0.8)
    axes.set_xlabel("layer, MB")
    axes.set_ylabel("peak RSS, MB")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    _write(figure, "memory")


def ready(raw: dict[str, Any]) -> None:
    """Draw every run of every tool, one chart an image."""
    for shape, title in raw["shapes"].items():
        runs = [run for run in raw["runs"] if run["shape"] == shape]
        names = [name for name in reversed(raw["titles"]) if any(r["tool"] == name for r in runs)]
        if not runs:
            continue
        figure, axes = _chart(f"registry to mounted tree: {title}", 0.8 + 0.35 * len(names))
        for place, name in enumerate(names):
            walls = [run["cost"]["wall"] for run in runs if run["tool"] == name]
            _dots(axes, place, walls, name.split(",")[0])
        axes.set_yticks(range(len(names)), names)
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds (dots: runs, bars: medians)")
        _write(figure, f"ready-{shape}")


def scaling(raw: dict[str, Any]) -> None:
    """Draw time over size, and over number of files; a chart each."""
    for series, title in raw["titles"].items():
        points = raw["series"][series]
        figure, axes = _chart(f"registry to mounted tree, {title}", 3.4)
        places = [each[series] / (1e6 if series == "size" else 1) for each in points]
        for tool in raw["tools"]:
            walls = [
                [
                    run["cost"]["wall"]
                    for run in raw["runs"]
                    if (run["shape"], run["tool"]) == (each["name"], tool)
                ]
                for each in points
            ]
            colour = _COLOURS.get(tool.split(",")[0], _PLAIN)
            style = "--" if tool.endswith("overlay") else "-"
            axes.plot(places, list(map(median, walls)), style, color=colour, label=tool)
            for place, values in zip(places, walls, strict=True):
                axes.plot([place] * len(values), values, "o", color=colour, markersize=3, alpha=0.7)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(places, [f"{place:,.0f}" for place in places], minor=False)
        axes.xaxis.minorticks_off()
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("tar, MB" if series == "size" else "files")
        axes.set_ylabel("seconds (dots: runs, lines: medians)")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        _write(figure, f"scaling-{series}")


def pack(raw: dict[str, Any]) -> None:
    """Draw every run of every way."""
    names = list(dict.fromkeys((run["tool"], run["form"]) for run in raw["runs"]))
    names.sort(key=lambda name: (name[1], name[0]), reverse=True)
    figure, axes = _chart("a changed tree becomes a layer", 0.8 + 0.35 * len(names))
    for place, (tool, form) in enumerate(names):
        walls = [r["cost"]["wall"] for r in raw["runs"] if (r["tool"], r["form"]) == (tool, form)]
        _dots(axes, place, walls, tool)
    axes.set_yticks(range(len(names)), [f"{tool}: {form}" for tool, form in names])
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds (dots: runs, bars: medians)")
    _write(figure, "pack")


def hub(raw: dict[str, Any]) -> None:
    """Draw what a request costs over the number of blobs."""
    if "growth" not in raw:
        return
    points = raw["growth"]["points"]
    figure, axes = _chart("what a request costs the hub, by number of blobs", 3.4)
    for request in points[0]["micros"]:
        values = [point["micros"][request] for point in points]
        axes.plot(
            [point["blobs"] for point in points],
            [median(each) for each in values],
            marker="o",
            markersize=3,
            label=request,
        )
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("blobs in the hub")
    axes.set_ylabel("processor time, µs")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    _write(figure, "hub-growth")


def _chart(title: str, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    return figure, axes


def _dots(
    axes: Axes, place: float, values: list[float], tool: str, label: str | None = None
) -> None:
    colour = _COLOURS.get(tool, _PLAIN)
    axes.barh(place, median(values), height=0.26, color=colour, alpha=0.35, label=label)
    axes.plot(values, [place] * len(values), "o", color=colour, markersize=3, alpha=0.7)


def _write(figure: Figure, name: str) -> None:
    figure.savefig(FOLDER / f"{name}.svg", metadata=_NAMELESS)


def main() -> None:
    """Draw what there is."""
    draw = {
        "image_copy": copies,
        "startup": startup,
        "memory": memory,
        "ready": ready,
        "scaling": scaling,
        "pack": pack,
        "hub": hub,
    }
    with mpl.rc_context(_STYLE):
        for name, chart in draw.items():
            raw: Path = FOLDER / f"{name}.json"
            if raw.exists():
                chart(json.loads(raw.read_text()))


if __name__ == "__main__":
    main()
