"""``nacre inspect``: what is known of any object; images are the only kind so far."""

from __future__ import annotations

from nacre.cli.commands import image_inspect
from nacre.cli.flags import Flag, Kind, UsageError
from nacre.cli.options import switch
from nacre.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from nacre.cli.console import Console
    from nacre.cli.flags import Given

_IMAGE = "image"
_KINDS = (
    *("config", "container", _IMAGE, "network", "node", "plugin"),
    *("secret", "service", "task", "volume"),
)
_TYPE = Kind("string", str, choices=(_IMAGE,))
FLAGS = (
    *image_inspect.FLAGS,
    switch("size", "Display total file sizes if the type is container", "s"),
    Flag("type", _TYPE, None, "Only inspect objects of the given type: image"),
)


def run(given: Given, console: Console) -> int:
    """Print what was found: of Docker's other kinds there is never any."""
    kind = _IMAGE if given.type is None else given.type
    if kind not in _KINDS:
        what = f'unknown type: "{kind}"' if kind else "type is empty"
        raise UsageError(f"{what}: must be one of {', '.join(map(_quoted, _KINDS))}")
    if kind != _IMAGE:

        def nothing(name: str) -> NoReturn:
            raise NotFound(f"No such {kind}: {name}", remedy="nacre has images only")

        return image_inspect.show(given, console, nothing)
    if given.size:
        console.note("WARNING: --size ignored for image")
    return image_inspect.run(given, console)


def _quoted(kind: str) -> str:
    return f'"{kind}"'
