"""``nacre hub tag history``: what happened to tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import TABLE_FORMAT, integer
from nacre.cli.render.format import render_rows

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = (
    *hub_data.FLAGS,
    TABLE_FORMAT,
    integer("limit", "Most lines to show", default=100, least=1, most=1_000_000),
)
_TABLE = "table {{.At}}\t{{.Name}}\t{{.Change}}\t{{.Before}}\t{{.After}}\t{{.By}}"
_HEADERS = {
    "At": "AT",
    "Name": "TAG",
    "Change": "CHANGE",
    "Before": "BEFORE",
    "After": "AFTER",
    "By": "BY",
}


def run(given: Given, console: Console) -> int:
    """Print one row a change, the latest first."""
    name, _, tag = given.words[0].partition(":")

    async def rows(records: Records) -> list[dict[str, object]]:
        repository = await hub_data.repository_of(records, name)
        return [
            {
                "At": hub_data.shown_time(event.at),
                "Name": event.tag,
                "Change": event.change.value,
                "Before": str(event.before or ""),
                "After": str(event.after or ""),
                "By": event.by,
            }
            for event in await records.manifests.history(repository.id, tag or None, given.limit)
        ]

    found = hub_data.with_records(given, rows)
    console.lines(render_rows(found, format=given.format, default_table=_TABLE, headers=_HEADERS))
    return 0
