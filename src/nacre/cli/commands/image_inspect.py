"""``nacre image inspect``: all that is known of images, as JSON."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from nacre.cli.options import add_format, add_platform
from nacre.cli.render.inspection import render_inspection
from nacre.errors import NacreError, NotFound

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("images", metavar="IMAGE", nargs="+")
    add_format(parser, "-f")
    add_platform(parser)


def run(arguments: Namespace, console: Console) -> int:
    """Print what was found; for what was not, a line on standard error and exit code 1."""
    found: list[dict[str, Any]] = []
    missing: list[NacreError] = []
    for name in arguments.images:
        try:
            found.append(console.engine.images.inspect(name, platform=arguments.platform))
        except NotFound as error:
            missing.append(error)
    console.write(render_inspection(found, arguments.format))
    for each in missing:
        console.complain(each)
    return 1 if missing else 0
