"""``nacre system df``: what takes how much disk."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nacre.cli.options import add_format
from nacre.cli.render.format import render_rows
from nacre.cli.render.times import created_since
from nacre.cli.render.units import human_size
from nacre.oci import reference as references
from nacre.oci.timestamp import parse_rfc3339

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.engine.system import DiskUse, ImageUse

_TABLE = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
_HEADERS = {
    "Type": "TYPE",
    "TotalCount": "TOTAL",
    "Active": "ACTIVE",
    "Size": "SIZE",
    "Reclaimable": "RECLAIMABLE",
}
_IMAGE_TABLE = (
    "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t"
    "{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}"
)
_IMAGE_HEADERS = {
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "ID": "IMAGE ID",
    "CreatedSince": "CREATED",
    "Size": "SIZE",
    "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE",
    "Containers": "CONTAINERS",
}


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    add_format(parser)
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="Show detailed information on space usage"
    )


def run(arguments: Namespace, console: Console) -> int:
    """Print a row a kind of thing, or a row an image."""
    use = console.engine.system.disk_use()
    if not arguments.verbose:
        console.lines(
            render_rows(
                _rows(use),
                format=arguments.format,
                default_table=_TABLE,
                headers=_HEADERS,
                type_name="*formatter.diskUsageContext",
            )
        )
        return 0
    console.line("Images space usage:")
    console.line()
    console.lines(
        render_rows(
            (row for each in use.images for row in _image_rows(each)),
            default_table=_IMAGE_TABLE,
            headers=_IMAGE_HEADERS,
        )
    )
    return 0


def _rows(use: DiskUse) -> Iterator[dict[str, object]]:
    reclaimable = human_size(use.size)
    if use.size:
        reclaimable += " (100%)"
    yield {
        "Type": "Images",
        "TotalCount": str(len(use.images)),
        "Active": "0",
        "Size": human_size(use.size),
        "Reclaimable": reclaimable,
    }


def _image_rows(use: ImageUse) -> Iterator[dict[str, object]]:
    image = use.image
    created = parse_rfc3339(image.view.created) if image.view.created else 0
    names = [references.parse(name) for name in image.names]
    for repository, tag in [(each.familiar_name, each.tag) for each in names] or [
        ("<none>", "<none>")
    ]:
        yield {
            "Repository": repository,
            "Tag": tag,
            "ID": image.id.short,
            "CreatedSince": created_since(created, time.time_ns()),
            "Size": human_size(use.shared + use.unique, precision=3),
            "SharedSize": human_size(use.shared, precision=3),
            "UniqueSize": human_size(use.unique, precision=3),
            "Containers": "0",
        }
