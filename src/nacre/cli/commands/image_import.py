"""``nacre import``: an image of a root file system's tar."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nacre.cli.options import add_platform

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("source", metavar="FILE|-")
    parser.add_argument("name", metavar="REPOSITORY[:TAG]", nargs="?")
    parser.add_argument(
        "-c",
        "--change",
        action="append",
        default=[],
        metavar="INSTRUCTION",
        help="Apply Dockerfile instruction to the created image",
    )
    parser.add_argument("-m", "--message", default="", help="Set commit message for imported image")
    add_platform(parser)


def run(arguments: Namespace, console: Console) -> int:
    """Import and print the image ID."""
    with _opened(arguments.source, console) as stream:
        image = console.engine.images.import_(
            stream,
            arguments.name,
            changes=arguments.change,
            message=arguments.message,
            platform=arguments.platform,
        )
    console.line(str(image.id))
    return 0


def _opened(source: str, console: Console) -> AbstractContextManager[BinaryIO]:
    if source == "-":
        return nullcontext(console.binary_input())
    return Path(source).open("rb")
