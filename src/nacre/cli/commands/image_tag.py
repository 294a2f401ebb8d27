"""``nacre tag``: another name for an image."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = ()


def run(given: Given, console: Console) -> int:
    """Tag; silent as Docker is."""
    source, target = given.words
    console.engine.images.tag(source, target)
    return 0
