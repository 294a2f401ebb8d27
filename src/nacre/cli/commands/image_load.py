"""``nacre load``: every image of an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nacre.cli.options import PROGRESS, string
from nacre.cli.report import reporting

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    string("input", "Read from tar archive file, instead of STDIN", "i"),
    string("platform", 'Load only the given platforms, separated by commas (e.g., "linux/amd64")'),
    *PROGRESS,
)


def run(given: Given, console: Console) -> int:
    """Load and print the names of what came."""
    source = Path(given.input) if given.input else console.binary_input("load")
    with reporting(given, console, "pull", piped="quiet") as report:
        loaded = console.engine.images.load(
            source, platform=given.platform or "all", on_event=report.on_event
        )
    for each in loaded:
        report.result(f"Loaded image: {each.name}" if each.name else f"Loaded image ID: {each.id}")
    return 0
