"""``nacre image verify``: is every byte what its digest says?"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli.parser import UsageError

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("images", metavar="IMAGE", nargs="*")
    parser.add_argument("-a", "--all", action="store_true", help="Verify every image")
    parser.add_argument("-q", "--quiet", action="store_true", help="Print problems only")


def run(arguments: Namespace, console: Console) -> int:
    """Print a line an image and one a problem; exit code 1 when there is any problem."""
    if bool(arguments.images) == arguments.all:
        raise UsageError(
            '"nacre image verify" requires either images or --all',
            exit_code=1,
            remedy="see 'nacre image verify --help'",
        )
    broken = False
    for report in console.engine.images.verify(None if arguments.all else arguments.images):
        for problem in report.problems:
            console.line(f"{report.name}: {problem}")
        if not report.problems and not arguments.quiet:
            console.line(f"{report.name}: OK")
        broken = broken or bool(report.problems)
    return 1 if broken else 0
