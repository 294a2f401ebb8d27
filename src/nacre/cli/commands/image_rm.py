"""``nacre rmi``: drop names, and images with their last one."""

from __future__ import annotations

from nacre.cli.options import switch
from nacre.errors import NacreError, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.removing import Removal

FLAGS = (
    switch("force", "Force removal of the image", "f"),
    switch("no-prune", "Keep the bytes until the next prune"),
)


def run(given: Given, console: Console) -> int:
    """Remove what can be removed; for the rest a line on standard error and exit code 1.

    With ``--force`` it is no failure that an image is not there.
    """
    failed = False
    for name in given.words:
        try:
            removals = console.engine.images.remove(
                name, force=given.force, prune=not given.no_prune
            )
        except NacreError as error:
            console.complain(error)
            failed = failed or not (given.force and isinstance(error, NotFound))
        else:
            console.lines(map(_line, removals))
    return 1 if failed else 0


def _line(removal: Removal) -> str:
    from nacre.engine.removing import Untagged

    if isinstance(removal, Untagged):
        return f"Untagged: {removal.name}"
    return f"Deleted: {removal.digest}"
