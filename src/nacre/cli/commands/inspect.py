"""``nacre inspect``: what is known of any object; images are the only kind so far."""

from __future__ import annotations

from nacre.cli.commands import image_inspect
from nacre.cli.options import choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    *image_inspect.FLAGS,
    choice("type", "Only inspect objects of the given type: image", ("", "image")),
)


def run(given: Given, console: Console) -> int:
    """Print what was found."""
    return image_inspect.run(given, console)
