"""``nacre image blame``: which layers, and which lines of the history, put a path there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nacre.cli.options import NO_TRUNC, PLATFORM, switch
from nacre.cli.places import GRAMMAR, required_place
from nacre.cli.render.columns import ellipsis, tabulate
from nacre.cli.render.files import json_array
from nacre.cli.render.steps import COMMAND_WIDTH, command_of, json_step
from nacre.cli.render.units import human_size

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.seeing import Blame

FLAGS = (switch("json", "Print one JSON document"), NO_TRUNC, PLATFORM)
MORE = f"""\
{GRAMMAR}
The first line is the layer that the path is from; the others are those that
had it before. A is for added, C for changed, D for deleted; 0 is the base.
"""


def run(given: Given, console: Console) -> int:
    """Print a row a layer that touched the path, the last one first."""
    image, path = required_place(given.words[0])
    found = console.engine.images.blame(image, path, platform=given.platform)
    if given.json:
        console.write("".join(json_array(map(_as_json, found))))
    else:
        rows = (_row(one, whole=given.no_trunc) for one in found)
        console.lines(tabulate(["LAYER\tDIFF ID\tCHANGE\tSIZE\tCREATED BY", *rows]))
    return 0


def _row(one: Blame, *, whole: bool) -> str:
    identity = str(one.diff_id) if whole else one.diff_id.short
    command = command_of(one.step)
    size = human_size(one.size, precision=3)
    return "\t".join(
        (
            str(one.layer),
            identity,
            one.change,
            size,
            command if whole else ellipsis(command, COMMAND_WIDTH),
        )
    )


def _as_json(one: Blame) -> dict[str, Any]:
    return {
        "layer": one.layer,
        "diffID": one.diff_id,
        "change": one.change,
        "type": one.kind,
        "size": one.size,
        **json_step(one.step),
    }
