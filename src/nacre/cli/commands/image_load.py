"""``nacre load``: every image of an archive."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from nacre.cli.options import add_progress
from nacre.cli.report import reporting
from nacre.errors import Invalid

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("-i", "--input", metavar="FILE", help="Read from tar archive file")
    add_progress(parser)


def run(arguments: Namespace, console: Console) -> int:
    """Load and print the names of what came."""
    if not arguments.input and console.stdin.isatty():
        raise Invalid(
            "requested load from stdin, but stdin is empty", remedy="use the -i flag or redirect"
        )
    source = Path(arguments.input) if arguments.input else console.binary_input()
    # As with Docker, only a terminal is shown the layers.
    arguments.quiet = arguments.quiet or (
        arguments.progress == "auto" and not console.stdout.isatty()
    )
    with reporting(arguments, console, "pull") as report:
        loaded = console.engine.images.load(source, on_event=report.on_event)
    for each in loaded:
        report.result(f"Loaded image: {each.name}" if each.name else f"Loaded image ID: {each.id}")
    return 0
