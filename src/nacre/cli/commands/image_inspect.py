"""``nacre image inspect``: all that is known of images, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nacre.cli.options import PLATFORM, format_
from nacre.cli.render.inspection import render_inspection
from nacre.errors import NacreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (format_("f"), PLATFORM)


def run(given: Given, console: Console) -> int:
    """Print the images that were found; see `show`."""

    def described(name: str) -> dict[str, Any]:
        return console.engine.images.inspect(name, platform=given.platform)

    return show(given, console, described)


def show(given: Given, console: Console, described: Callable[[str], dict[str, Any]]) -> int:
    """Print what was found; for what was not, a line on standard error and exit code 1."""
    found: list[dict[str, Any]] = []
    failures: list[NacreError] = []
    for name in given.words:
        try:
            found.append(described(name))
        except NacreError as error:
            failures.append(error)
    for text in render_inspection(found, given.format, _typed, failures.append):
        console.write(text)
    for failure in failures:
        console.complain(failure)
    return 1 if failures else 0


def _typed(document: Mapping[str, Any]) -> object:
    from nacre.cli.render import imagetypes

    return imagetypes.image(document)
