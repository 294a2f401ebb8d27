"""``nacre system prune``: remove what nobody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands.image_prune import show_pruned
from nacre.cli.options import confirmation, filters, switch

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    switch("all", "Remove all unused images not just dangling ones", "a"),
    filters(text='Only images that suit: "label=KEY", "label!=KEY" or "until=24h"'),
    confirmation(),
)
_WARNING = "WARNING! This will remove:\n  - {images}\n  - blobs that no image refers to\n"
_DANGLING = "all dangling images"
_ALL = "all images without at least one container associated to them"


def run(given: Given, console: Console) -> int:
    """Ask, remove, and say what became free."""
    warning = _WARNING.format(images=_ALL if given.all else _DANGLING)
    if given.force or console.confirm(warning):
        show_pruned(
            console.engine.system.prune(everything=given.all, filters=given.filter), console
        )
    return 0
