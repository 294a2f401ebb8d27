"""``nacre import``: an image of a root file system's tar."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, BinaryIO

from nacre.cli.options import PLATFORM, string, strings

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    strings("change", "Apply Dockerfile instruction to the created image", "c"),
    string("message", "Set commit message for imported image", "m"),
    PLATFORM,
)


def run(given: Given, console: Console) -> int:
    """Import and print the image ID."""
    source, *names = given.words
    with _opened(source, console) as stream:
        image = console.engine.images.import_(
            stream,
            names[0] if names else None,
            changes=given.change,
            message=given.message,
            platform=given.platform,
        )
    console.line(str(image.id))
    return 0


def _opened(source: str, console: Console) -> AbstractContextManager[BinaryIO | str]:
    if source == "-":
        return nullcontext(console.binary_input("import"))
    if source.startswith(("http://", "https://")):
        return nullcontext(source)
    return open(source, "rb")  # noqa: PTH123 - the words of the error are then about this text
