"""``nacre manifest push``: an index and all it lists, to a registry."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli.options import add_progress
from nacre.cli.report import reporting

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("index", metavar="INDEX")
    parser.add_argument("destination", metavar="DESTINATION", nargs="?")
    parser.add_argument(
        "-p", "--purge", action="store_true", help="Remove the local index after the push"
    )
    add_progress(parser)


def run(arguments: Namespace, console: Console) -> int:
    """Push and print the digest."""
    with reporting(arguments, console, "push") as report:
        pushed = console.engine.manifests.push(
            arguments.index,
            arguments.destination,
            purge=arguments.purge,
            on_event=report.on_event,
        )
    report.result(str(pushed.descriptor.digest))
    return 0
