"""``nacre image ls IMAGE:PATH``: what is in an image, without running it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nacre.cli.places import split_place
from nacre.cli.render.files import json_document, long_lines
from nacre.cli.render.names import namer

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.seeing import FileInfo, Listing


def run(given: Given, console: Console) -> int:
    """Print one name a line, sorted; with ``--long`` all that is known of each."""
    image, place = split_place(given.words[0])
    path = place or "/"
    listing = console.engine.images.files(
        image,
        path,
        recursive=given.recursive,
        # As with ls: a long listing shows a link itself, unless a slash stands behind it.
        follow=not given.long or path.endswith("/"),
        layer=given.layer,
        platform=given.platform,
    )
    if given.json:
        console.write("".join(json_document(listing.files)))
    elif given.recursive and listing.is_directory:
        _print_directories(listing, given, console)
    else:
        names = _names(listing.files) if listing.is_directory else [path]
        _print(listing.files, names, given, console)
    return 0


def _names(files: Iterable[FileInfo]) -> list[str]:
    return [posixpath.basename(file.path) for file in files]


def _print(files: list[FileInfo], names: list[str], given: Given, console: Console) -> None:
    shown = namer(console.stdout)
    if not files:
        return
    console.lines(long_lines(files, names, shown) if given.long else map(shown, names))


def _print_directories(listing: Listing, given: Given, console: Console) -> None:
    """Print each directory under its path, as ``ls -R`` does."""
    shown = namer(console.stdout)
    inside: dict[str, list[FileInfo]] = {listing.path: []}
    for file in listing.files:
        inside.setdefault(posixpath.dirname(file.path), []).append(file)
        if file.kind == "directory":
            inside.setdefault(file.path, [])
    for number, (path, files) in enumerate(inside.items()):
        console.line(f"{'' if number == 0 else chr(10)}{shown(path)}:")
        _print(files, _names(files), given, console)
