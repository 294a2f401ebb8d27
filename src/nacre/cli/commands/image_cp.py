"""``nacre image cp``: files out of an image, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.options import PLATFORM, switch
from nacre.cli.places import GRAMMAR, required_place
from nacre.cli.render.units import human_size
from nacre.errors import Invalid

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.seeing import TakenOut

FLAGS = (
    switch("archive", "Keep owners, set-ID bits, all attributes and devices", "a"),
    switch("follow-link", "Always follow a symbolic link in IMAGE:PATH", "L"),
    PLATFORM,
    switch("quiet", "Do not say what was copied", "q"),
)
MORE = f"""\
{GRAMMAR}
A directory goes into DEST when that is a directory, else it becomes DEST; one
written DIR/. stands for what is in it. With '-' a tar goes to STDOUT. What is
copied belongs to whoever copies.
"""


def run(given: Given, console: Console) -> int:
    """Copy, and say how much."""
    word, destination = given.words
    image, path = required_place(word)
    images = console.engine.images
    if destination == "-" and console.stdout.isatty():
        raise Invalid("refusing to write a tar to a terminal", remedy="redirect it")
    taken = images.copy_files(
        image,
        path,
        console.binary_output() if destination == "-" else destination,
        follow=given.follow_link,
        archive=given.archive,
        platform=given.platform,
    )
    if taken and not given.quiet:
        _tell(taken, destination, console)
    return 0


def _tell(taken: TakenOut, destination: str, console: Console) -> None:
    for loss in taken.losses:
        example = loss.example.decode("utf-8", "backslashreplace")
        console.note(f"Left behind: {loss.what}, of {loss.members}, such as {example!r}")
    console.note(f"Successfully copied {human_size(taken.size, precision=3)} to {destination}")
