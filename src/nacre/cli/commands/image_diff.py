"""``nacre image diff``: what differs between the trees of two images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nacre.cli.options import PLATFORM, switch
from nacre.cli.render.files import json_array
from nacre.cli.render.names import namer
from nacre.cli.render.units import human_size

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.seeing import Difference

FLAGS = (switch("json", "Print one JSON document"), PLATFORM)
MORE = """\
A line a path: A for added, C for changed, D for deleted; by how many bytes
files grew or shrank; and the path. Of a deleted directory only itself is
listed, with the size of all that was in it.
"""


def run(given: Given, console: Console) -> int:
    """Print what differs, sorted by path."""
    before, after = given.words
    found = console.engine.images.diff(before, after, platform=given.platform)
    if given.json:
        console.write("".join(json_array(map(_as_json, found))))
        return 0
    shown = namer(console.stdout)
    growths = [_growth(one) for one in found]
    width = max(map(len, growths), default=0)
    for one, growth in zip(found, growths, strict=True):
        console.line(f"{one.change} {growth:>{width}} {shown(one.path)}")
    return 0


def _growth(one: Difference) -> str:
    growth = one.size_after - one.size_before
    sign = "-" if growth < 0 else "+" if growth else ""
    return f"{sign}{human_size(abs(growth), precision=3)}"


def _as_json(one: Difference) -> dict[str, Any]:
    return {
        "path": one.path,
        "change": one.change,
        "type": one.kind,
        "sizeBefore": one.size_before,
        "sizeAfter": one.size_after,
    }
