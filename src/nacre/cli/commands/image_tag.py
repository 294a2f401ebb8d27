"""``nacre tag``: another name for an image."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("source", metavar="SOURCE_IMAGE")
    parser.add_argument("target", metavar="TARGET_IMAGE")


def run(arguments: Namespace, console: Console) -> int:
    """Tag; silent as Docker is."""
    console.engine.images.tag(arguments.source, arguments.target)
    return 0
