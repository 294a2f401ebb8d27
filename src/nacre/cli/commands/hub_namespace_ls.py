"""``nacre hub namespace ls``: list namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import TABLE_FORMAT
from nacre.cli.render.format import render_rows
from nacre.cli.render.units import human_size

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = (*hub_data.FLAGS, TABLE_FORMAT)
_TABLE = "table {{.Name}}\t{{.Visibility}}\t{{.Size}}\t{{.Quota}}\t{{.Immutable}}"
_HEADERS = {
    "Name": "NAME",
    "Visibility": "VISIBILITY",
    "Size": "SIZE",
    "Quota": "QUOTA",
    "Immutable": "IMMUTABLE TAGS",
}


def run(given: Given, console: Console) -> int:
    """Print one row a namespace."""

    async def rows(records: Records) -> list[dict[str, object]]:
        return [
            {
                "Name": each.name,
                "Visibility": each.visibility.value,
                "Size": human_size(each.used),
                "Quota": "" if each.quota is None else human_size(each.quota),
                "Immutable": each.policy.immutable,
            }
            for each in await records.repositories.namespaces()
        ]

    found = hub_data.with_records(given, rows)
    console.lines(render_rows(found, format=given.format, default_table=_TABLE, headers=_HEADERS))
    return 0
