"""``nacre system df``: what takes how much disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nacre.cli.options import TABLE_FORMAT, switch
from nacre.cli.render import images
from nacre.cli.render.format import render_rows
from nacre.cli.render.units import human_size

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.disk_use import DiskUse, ImageUse

FLAGS = (TABLE_FORMAT, switch("verbose", "Show detailed information on space usage", "v"))
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
    "{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}\t{{.CompressedSize}}\t{{.UnpackedSize}}"
)
_IMAGE_HEADERS = {
    **images.HEADERS,
    "CompressedSize": "COMPRESSED",
    "UnpackedSize": "UNPACKED",
}


def run(given: Given, console: Console) -> int:
    """Print a row a kind of thing, or a row an image."""
    use = console.engine.system.disk_use()
    if given.verbose:
        _show_images(use, given.format, console)
        return 0
    console.lines(
        render_rows(
            [_summary(use)],
            format=given.format,
            default_table=_TABLE,
            headers=_HEADERS,
            type_name="*formatter.diskUsageImagesContext",
        )
    )
    return 0


def _summary(use: DiskUse) -> dict[str, object]:
    size = human_size(use.size)
    return {
        "Type": "Images",
        "TotalCount": str(len(use.images)),
        "Active": "0",
        "Size": size,
        "Reclaimable": f"{size} (100%)" if use.size else size,
    }


def _show_images(use: DiskUse, asked: str, console: Console) -> None:
    if asked in ("", "table"):
        console.line("Images space usage:\n")
        rows = _image_rows(use.images, whole=False)
        console.lines(render_rows(rows, default_table=_IMAGE_TABLE, headers=_IMAGE_HEADERS))
        return
    from nacre.cli.render.inspection import render_one
    from nacre.cli.render.template.values import Row

    rows = _image_rows(use.images, whole=True)
    listed = [Row(images.TYPE_NAME, dict(sorted(row.items()))) for row in rows]
    console.write(render_one({"Images": listed}, asked, "*formatter.diskUsageContext"))


def _image_rows(uses: tuple[ImageUse, ...], *, whole: bool) -> Iterator[images.Fields]:
    for use in uses:
        yield {
            **images.first_name(use.image),
            **images.image_fields(use.image, use.shared + use.unique, whole=whole),
            "SharedSize": human_size(use.shared, precision=3),
            "UniqueSize": human_size(use.unique, precision=3),
            "Containers": "0",
            "CompressedSize": human_size(use.compressed, precision=3),
            "UnpackedSize": human_size(use.unpacked, precision=3),
        }
