"""``nacre inspect``: what is known of any object; images are the only kind so far."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli.commands import image_inspect

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    image_inspect.configure(parser)
    parser.add_argument("--type", choices=("image",), help="Only inspect objects of the given type")


def run(arguments: Namespace, console: Console) -> int:
    """Print what was found."""
    return image_inspect.run(arguments, console)
