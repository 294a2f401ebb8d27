"""``nacre images``: what is on this machine; and ``nacre image ls IMAGE:PATH``: what is in it."""

from __future__ import annotations

from nacre.cli.flags import UsageError
from nacre.cli.options import (
    NO_TRUNC,
    PLATFORM,
    QUIET_IDS,
    TABLE_FORMAT,
    filters,
    optional_integer,
    switch,
)
from nacre.cli.places import GRAMMAR
from nacre.cli.render.format import render_rows
from nacre.cli.render.images import HEADERS, TYPE_NAME, image_fields, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    switch("all", "Show all images", "a"),
    switch("digests", "Show digests"),
    filters("f"),
    TABLE_FORMAT,
    switch("json", "Of files: print one JSON document"),
    optional_integer("layer", "Of files: only those of one layer, the base being 0"),
    switch("long", "Of files: use a long listing format", "l"),
    NO_TRUNC,
    PLATFORM,
    QUIET_IDS,
    switch("recursive", "Of files: list directories recursively", "R"),
)
MORE = f"""\
With a path, or with any of the options for files, what is in the image is
listed, without running it; the path is / then if there is none.

{GRAMMAR}"""
_TABLE = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
_DIGEST_TABLE = (
    "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
)


def run(given: Given, console: Console) -> int:
    """Print one row a tag, newest image first; or files, one a line."""
    if _is_about_files(given):
        from nacre.cli.commands import image_files

        return image_files.run(given, console)
    pattern = given.words[0] if given.words else ""
    images = console.engine.images
    found = images.list(filters=[*given.filter, *([f"reference={pattern}"] if pattern else [])])
    rows = (
        name | fields
        for image in found
        for fields in [image_fields(image, images.size(image), whole=given.no_trunc)]
        for name in names(image, digests=given.digests or "{{.Digest}}" in given.format)
    )
    console.lines(
        render_rows(
            rows,
            format=given.format,
            default_table=_DIGEST_TABLE if given.digests else _TABLE,
            headers=HEADERS,
            quiet_field="ID" if given.quiet else None,
            type_name=TYPE_NAME,
        )
    )
    if pattern and not found and given.command == "nacre images":
        _hint(pattern, console)
    return 0


def _is_about_files(given: Given) -> bool:
    asked = given.long or given.recursive or given.json or given.layer is not None
    if asked and not given.words:
        raise UsageError("files of which image?", remedy=f"write {given.command} IMAGE:PATH")
    return asked or any(":/" in word for word in given.words)


def _hint(word: str, console: Console) -> None:
    """Help those who took ``images`` for ``image``."""
    from nacre.cli import catalogue

    if catalogue.find(["image", word]):
        console.note(f'\nNo images found matching "{word}": did you mean "nacre image {word}"?')
