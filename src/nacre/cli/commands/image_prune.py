"""``nacre image prune``: remove images that nobody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.options import confirmation, filters, switch
from nacre.cli.render.units import human_size

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.removing import Pruned

FLAGS = (
    switch("all", "Remove all unused images, not just dangling ones", "a"),
    filters(text='Only images that suit: "label=KEY", "label!=KEY" or "until=24h"'),
    confirmation(),
)
_DANGLING = "This will remove all dangling images."
_ALL = "This will remove all images without at least one container associated to them."


def run(given: Given, console: Console) -> int:
    """Ask, remove, and say what became free."""
    warning = _ALL if given.all else _DANGLING
    if given.force or console.confirm(f"WARNING! {warning}"):
        show_pruned(
            console.engine.images.prune(everything=given.all, filters=given.filter), console
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
