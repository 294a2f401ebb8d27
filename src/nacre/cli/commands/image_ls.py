"""``nacre images``: what is on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.options import NO_TRUNC, QUIET_IDS, TABLE_FORMAT, filters, switch
from nacre.cli.render.format import render_rows
from nacre.cli.render.images import HEADERS, TYPE_NAME, image_fields, names

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    switch("all", "Show all images", "a"),
    switch("digests", "Show digests"),
    filters("f"),
    TABLE_FORMAT,
    NO_TRUNC,
    QUIET_IDS,
)
_TABLE = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
_DIGEST_TABLE = (
    "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
)


def run(given: Given, console: Console) -> int:
    """Print one row a tag, newest image first."""
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


def _hint(word: str, console: Console) -> None:
    """Help those who took ``images`` for ``image``."""
    from nacre.cli import catalogue

    if catalogue.find(["image", word]):
        console.note(f'\nNo images found matching "{word}": did you mean "nacre image {word}"?')
