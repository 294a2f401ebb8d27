"""``nacre image unmount``: end what ``nacre image mount`` began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.errors import NacreError

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = ()


def run(given: Given, console: Console) -> int:
    """Unmount what can be unmounted; for the rest a line on standard error and exit code 1."""
    failed = False
    for folder in given.words:
        try:
            console.engine.images.unmount(folder)
        except NacreError as error:
            console.complain(error)
            failed = True
    return 1 if failed else 0
