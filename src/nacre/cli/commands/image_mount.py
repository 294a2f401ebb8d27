"""``nacre image mount``: the files of an image in a folder, read-only, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.flags import UsageError
from nacre.cli.options import PLATFORM

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.mounting import MountedImage

FLAGS = (PLATFORM,)
MORE = """\
Nothing is copied: all mounts of an image share one. The folder has to exist.
Without arguments, images and the folders where they are mounted are listed.
"""


def run(given: Given, console: Console) -> int:
    """Mount silently, or print a line a mounted image."""
    if not given.words:
        found = [(_name(mounted), mounted.folder) for mounted in console.engine.images.mounts()]
        width = max((len(name) for name, _ in found), default=0)
        console.lines(f"{name:<{width}}  {folder}" for name, folder in found)
        return 0
    if len(given.words) == 1:
        raise UsageError(
            f"'{given.command}' requires an image and a folder, or no arguments",
            remedy=f"see '{given.command} --help'",
        )
    image, folder = given.words
    console.engine.images.mount(image, folder, platform=given.platform or None)
    return 0


def _name(mounted: MountedImage) -> str:
    image = mounted.image
    if image is None:
        return f"<none> (layers {mounted.chain.short})"
    return image.tags[0] if image.tags else image.id.short
