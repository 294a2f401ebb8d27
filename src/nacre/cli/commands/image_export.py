"""``nacre image export``: the whole tree of an image as a tar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nacre.cli.options import PLATFORM, string
from nacre.errors import Invalid

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (string("output", "Write to a file, instead of STDOUT", "o"), PLATFORM)


def run(given: Given, console: Console) -> int:
    """Write the tar."""
    to_stdout = given.output in ("", "-")
    if to_stdout and console.stdout.isatty():
        raise Invalid(
            "cowardly refusing to save to a terminal", remedy="use the -o flag or redirect"
        )
    destination = console.binary_output() if to_stdout else Path(given.output)
    console.engine.images.export(given.words[0], destination, platform=given.platform)
    return 0
