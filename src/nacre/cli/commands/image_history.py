"""``nacre history``: the steps that made an image."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from nacre.cli.options import NO_TRUNC, PLATFORM, QUIET_IDS, TABLE_FORMAT, switch
from nacre.cli.render.columns import ellipsis
from nacre.cli.render.format import render_rows
from nacre.cli.render.times import created_since, format_rfc3339
from nacre.cli.render.units import human_size
from nacre.oci.timestamp import stated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.images import HistoryRow

FLAGS = (
    TABLE_FORMAT,
    switch("human", "Print sizes and dates in human readable format", "H", default=True),
    NO_TRUNC,
    PLATFORM,
    QUIET_IDS,
)
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


def run(given: Given, console: Console) -> int:
    """Print one row a step, newest first."""
    rows = console.engine.images.history(given.words[0], platform=given.platform)
    console.lines(
        render_rows(
            _fields(rows, human=given.human, whole=given.no_trunc),
            format=given.format,
            default_table=_TABLE if given.human else _EXACT_TABLE,
            headers=_HEADERS,
            quiet_field="ID" if given.quiet else None,
            type_name="*image.historyContext",
        )
    )
    return 0


def _fields(rows: Sequence[HistoryRow], *, human: bool, whole: bool) -> Iterator[dict[str, object]]:
    now = time.time_ns()
    for row in rows:
        created = stated(row.created)
        exact = format_rfc3339(created)
        command = row.created_by.replace("\t", " ")
        identity = (str(row.id) if whole else row.id.short) if row.id else _MISSING
        yield {
            "ID": identity,
            "CreatedSince": created_since(created, now) if human else exact,
            "CreatedAt": exact,
            "CreatedBy": command if whole else ellipsis(command, _COMMAND_WIDTH),
            "Size": human_size(row.size, precision=3) if human else str(row.size),
            "Comment": row.comment,
        }
