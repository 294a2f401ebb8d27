"""``nacre save``: images as one archive."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from nacre.cli.options import add_platform
from nacre.errors import Invalid

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("images", metavar="IMAGE", nargs="+")
    parser.add_argument("-o", "--output", metavar="FILE", help="Write to a file, instead of STDOUT")
    add_platform(parser)


def run(arguments: Namespace, console: Console) -> int:
    """Write the archive."""
    if not arguments.output and console.stdout.isatty():
        raise Invalid(
            "cowardly refusing to save to a terminal", remedy="use the -o flag or redirect"
        )
    destination = Path(arguments.output) if arguments.output else console.binary_output()
    console.engine.images.save(arguments.images, destination, platform=arguments.platform)
    return 0
