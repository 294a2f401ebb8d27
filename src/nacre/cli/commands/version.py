"""``nacre version``."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre import __version__
from nacre.cli.options import add_format
from nacre.cli.render.inspection import render_inspection

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    add_format(parser, "-f")
    parser.add_argument("--short", action="store_true", help=SUPPRESS)


def run(arguments: Namespace, console: Console) -> int:
    """Print versions."""
    if arguments.short:
        console.line(f"nacre version {__version__}")
        return 0
    facts = _facts()
    if arguments.format == "json":
        from nacre.cli.render.json import compact

        console.line(compact(facts))
    elif arguments.format:
        console.write(render_inspection([facts], arguments.format))
    else:
        console.line("Client:")
        for key, value in facts["Client"].items():
            console.line(f" {key + ':':<16}{value}")
    return 0


def _facts() -> dict[str, dict[str, str]]:
    import os
    import platform

    uname = os.uname()
    return {
        "Client": {
            "Version": __version__,
            "Python": platform.python_version(),
            "OS/Arch": f"{uname.sysname.lower()}/{uname.machine}",
            "Kernel": uname.release,
        }
    }
