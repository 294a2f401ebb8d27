"""``nacre history``: the steps that made an image."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nacre.cli.options import add_boolean, add_format, add_platform
from nacre.cli.render.columns import ellipsis
from nacre.cli.render.format import render_rows
from nacre.cli.render.times import created_since, format_rfc3339
from nacre.cli.render.units import human_size
from nacre.oci.timestamp import parse_rfc3339

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.engine.images import HistoryRow

_TABLE = "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
_EXACT_TABLE = "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
_HEADERS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "Size": "SIZE",
    "Comment": "COMMENT",
}
_COMMAND_WIDTH = 45
_MISSING = "<missing>"


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("image", metavar="IMAGE")
    add_format(parser)
    add_boolean(
        parser,
        "-H",
        "--human",
        default=True,
        text="Print sizes and dates in human readable format (default true)",
    )
    parser.add_argument("--no-trunc", action="store_true", help="Don't truncate output")
    add_platform(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="Only show image IDs")


def run(arguments: Namespace, console: Console) -> int:
    """Print one row a step, newest first."""
    rows = console.engine.images.history(arguments.image, platform=arguments.platform)
    console.lines(
        render_rows(
            _fields(rows, human=arguments.human, whole=arguments.no_trunc),
            format=arguments.format,
            default_table=_TABLE if arguments.human else _EXACT_TABLE,
            headers=_HEADERS,
            quiet_field="ID" if arguments.quiet else None,
            type_name="*image.historyContext",
        )
    )
    return 0


def _fields(rows: Sequence[HistoryRow], *, human: bool, whole: bool) -> Iterator[dict[str, object]]:
    now = time.time_ns()
    for row in rows:
        created = parse_rfc3339(row.created) if row.created else None
        exact = "" if created is None else format_rfc3339(created, local=True)
        command = row.created_by.replace("\t", " ")
        size = row.size or 0
        identity = (str(row.id) if whole else row.id.short) if row.id else _MISSING
        yield {
            "ID": identity,
            "CreatedSince": _since(created, now) if human else exact,
            "CreatedAt": exact,
            "CreatedBy": command if whole else ellipsis(command, _COMMAND_WIDTH),
            "Size": human_size(size, precision=3) if human else str(size),
            "Comment": row.comment,
        }


def _since(created: int | None, now: int) -> str:
    return "N/A" if created is None else created_since(created, now)
