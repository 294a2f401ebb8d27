"""``nacre save``: images as one archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nacre.cli.options import PLATFORM, string
from nacre.errors import Invalid, Unavailable

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
    try:
        console.engine.images.save(given.words, destination, platform=given.platform)
    except Unavailable as error:
        if isinstance(error.__cause__, BrokenPipeError):  # whoever reads has enough
            raise error.__cause__ from None
        raise
    return 0
