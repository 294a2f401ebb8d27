"""``nacre rmi``: drop names, and images with their last one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.errors import Conflict, NacreError, NotFound

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.engine.removing import Removal


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("images", metavar="IMAGE", nargs="+")
    parser.add_argument("-f", "--force", action="store_true", help="Force removal of the image")
    parser.add_argument(
        "--no-prune", action="store_true", help="Keep the bytes until the next prune"
    )


def run(arguments: Namespace, console: Console) -> int:
    """Remove what can be removed; for the rest a line on standard error and exit code 1."""
    failures: list[NacreError] = []
    for name in arguments.images:
        try:
            removals = console.engine.images.remove(
                name, force=arguments.force, prune=not arguments.no_prune
            )
        except (NotFound, Conflict) as error:
            failures.append(error)
            continue
        console.lines(map(removal_line, removals))
    if arguments.force:
        failures = [each for each in failures if not isinstance(each, NotFound)]
    for failure in failures:
        console.complain(failure)
    return 1 if failures else 0


def removal_line(removal: Removal) -> str:
    """Return Docker's line for a name or an image that went."""
    from nacre.engine.removing import Untagged

    if isinstance(removal, Untagged):
        return f"Untagged: {removal.name}"
    return f"Deleted: {removal.digest}"
