"""``nacre save``: images as one archive."""

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
    """Write the archive."""
    if not given.output and console.stdout.isatty():
        raise Invalid(
            "cowardly refusing to save to a terminal", remedy="use the -o flag or redirect"
        )
    destination = Path(given.output) if given.output else console.binary_output()
    console.engine.images.save(given.words, destination, platform=given.platform)
    return 0
