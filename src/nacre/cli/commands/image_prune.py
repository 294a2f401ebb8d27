"""``nacre image prune``: remove images that nobody uses."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli.options import add_filter
from nacre.cli.render.units import human_size

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.engine.removing import Pruned

_DANGLING = "This will remove all dangling images."
_ALL = "This will remove all images without at least one container associated to them."


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument(
        "-a",
        "--all",
        action="store_true",
        help="Remove all unused images, not just dangling ones",
    )
    add_filter(parser)
    parser.add_argument("-f", "--force", action="store_true", help="Do not prompt for confirmation")


def run(arguments: Namespace, console: Console) -> int:
    """Ask, remove, and say what became free."""
    warning = _ALL if arguments.all else _DANGLING
    if not arguments.force and not console.confirm(f"WARNING! {warning}"):
        return 0
    show_pruned(
        console.engine.images.prune(everything=arguments.all, filters=arguments.filter), console
    )
    return 0


def show_pruned(pruned: Pruned, console: Console) -> None:
    """Print what pruning removed, as Docker does."""
    from nacre.engine.removing import Untagged

    if pruned.removals:
        console.line("Deleted Images:")
        for removal in pruned.removals:
            if isinstance(removal, Untagged):
                console.line(f"untagged: {removal.name}")
            else:
                console.line(f"deleted: {removal.digest}")
        console.line()
    console.line(f"Total reclaimed space: {human_size(pruned.reclaimed)}")
