"""``nacre manifest push``: an index and all it lists, to a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.options import PROGRESS, switch
from nacre.cli.report import reporting

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (switch("purge", "Remove the local index after the push", "p"), *PROGRESS)


def run(given: Given, console: Console) -> int:
    """Push and print the digest."""
    index, *destinations = given.words
    with reporting(given, console, "push") as report:
        pushed = console.engine.manifests.push(
            index,
            destinations[0] if destinations else None,
            purge=given.purge,
            on_event=report.on_event,
        )
    report.result(str(pushed.descriptor.digest))
    return 0
