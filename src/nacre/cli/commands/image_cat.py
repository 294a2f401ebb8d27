"""``nacre image cat``: files of images on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.options import PLATFORM
from nacre.cli.places import GRAMMAR, required_place

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (PLATFORM,)
MORE = GRAMMAR
_PIECE = 1 << 20


def run(given: Given, console: Console) -> int:
    """Write one file after the other, as they are."""
    places = [required_place(word) for word in given.words]
    out = console.binary_output()
    for image, path in places:
        with console.engine.images.open_file(image, path, platform=given.platform) as file:
            while piece := file.read(_PIECE):
                out.write(piece)
    out.flush()
    return 0
