"""``nacre image verify``: is every byte what its digest says?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.flags import UsageError
from nacre.cli.options import switch

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (switch("all", "Verify every image", "a"), switch("quiet", "Print problems only", "q"))


def run(given: Given, console: Console) -> int:
    """Print a line an image and one a problem; exit code 1 when there is any problem."""
    if bool(given.words) == given.all:
        raise UsageError(
            f"'{given.command}' requires either images or --all",
            remedy=f"see '{given.command} --help'",
        )
    broken = False
    for report in console.engine.images.verify(None if given.all else given.words):
        for problem in report.problems:
            console.line(f"{report.name}: {problem}")
        if not report.problems and not given.quiet:
            console.line(f"{report.name}: OK")
        broken = broken or bool(report.problems)
    return 1 if broken else 0
