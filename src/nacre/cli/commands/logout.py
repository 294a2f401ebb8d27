"""``nacre logout``: forget a registry's credentials."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nacre.cli.console import Console

_HUB_KEY = "https://index.docker.io/v1/"


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("server", metavar="SERVER", nargs="?", default="")


def run(arguments: Namespace, console: Console) -> int:
    """Forget, and say so; not being logged in is no error."""
    shown = arguments.server or _HUB_KEY
    if console.engine.registries.logout(arguments.server):
        console.line(f"Removing login credentials for {shown}")
    else:
        console.line(f"Not logged in to {shown}")
    return 0
