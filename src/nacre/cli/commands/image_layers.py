"""``nacre image layers``: what each layer of an image holds and wastes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nacre.cli.options import NO_TRUNC, PLATFORM, switch
from nacre.cli.render.columns import ellipsis, tabulate
from nacre.cli.render.names import namer
from nacre.cli.render.steps import COMMAND_WIDTH, command_of, json_step
from nacre.cli.render.units import human_size

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.seeing import LayerInfo, Layering

FLAGS = (switch("json", "Print one JSON document"), NO_TRUNC, PLATFORM)
MORE = """\
Files, sizes and waste are of regular files; wasted is what layers above
replaced or removed. The efficiency is computed as dive does: what would be left
if each path were kept once, in its smallest form. 0 is the base.
"""


def run(given: Given, console: Console) -> int:
    """Print a row a layer, base first, then how well the bytes are used."""
    found = console.engine.images.layers(given.words[0], platform=given.platform)
    if given.json:
        import json

        console.line(json.dumps(_as_json(found), indent=2))
        return 0
    rows = (_row(layer, whole=given.no_trunc) for layer in found.layers)
    console.lines(tabulate(["LAYER\tDIFF ID\tFILES\tSIZE\tWASTED\tCREATED BY", *rows]))
    _summarise(found, console)
    return 0


def _summarise(found: Layering, console: Console) -> None:
    efficiency = found.efficiency
    wasted = human_size(efficiency.wasted, precision=3)
    count = len(efficiency.repeated)
    console.line()
    console.line(
        f"Efficiency: {100 * efficiency.score:.2f} % ({wasted} in {count} repeated "
        f"path{'' if count == 1 else 's'})"
    )
    shown = namer(console.stdout)
    for one in efficiency.repeated[:_MOST_SHOWN]:
        path = shown("/" + one.path.decode("utf-8", "surrogateescape"))
        console.line(f"  {human_size(one.size, precision=3)} in {one.times} layers: {path}")


_MOST_SHOWN = 10


def _row(layer: LayerInfo, *, whole: bool) -> str:
    command = command_of(layer.step)
    return "\t".join(
        (
            str(layer.number),
            str(layer.diff_id) if whole else layer.diff_id.short,
            str(layer.files),
            human_size(layer.size, precision=3),
            human_size(layer.wasted, precision=3),
            command if whole else ellipsis(command, COMMAND_WIDTH),
        )
    )


def _as_json(found: Layering) -> dict[str, Any]:
    layers = [
        {
            "layer": layer.number,
            "diffID": layer.diff_id,
            "files": layer.files,
            "size": layer.size,
            "wasted": layer.wasted,
            **json_step(layer.step),
        }
        for layer in found.layers
    ]
    repeated = [
        {
            "path": "/" + one.path.decode("utf-8", "surrogateescape"),
            "layers": one.times,
            "size": one.size,
        }
        for one in found.efficiency.repeated
    ]
    return {
        "layers": layers,
        "efficiency": found.efficiency.score,
        "wasted": found.efficiency.wasted,
        "repeated": repeated,
    }
