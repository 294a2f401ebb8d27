"""``nacre system prune``: remove what nobody uses."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli.commands.image_prune import show_pruned
from nacre.cli.options import add_filter

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument(
        "-a", "--all", action="store_true", help="Remove all unused images not just dangling ones"
    )
    add_filter(parser)
    parser.add_argument("-f", "--force", action="store_true", help="Do not prompt for confirmation")


def run(arguments: Namespace, console: Console) -> int:
    """Ask, remove, and say what became free."""
    images = "all images without at least one container" if arguments.all else "all dangling images"
    warning = f"WARNING! This will remove:\n  - {images}\n  - unreferenced blobs\n"
    if not arguments.force and not console.confirm(warning):
        return 0
    show_pruned(
        console.engine.system.prune(everything=arguments.all, filters=arguments.filter), console
    )
    return 0
