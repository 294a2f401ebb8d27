"""``nacre hub user ls``: list users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import TABLE_FORMAT
from nacre.cli.render.format import render_rows

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = (*hub_data.FLAGS, TABLE_FORMAT)
_TABLE = "table {{.Name}}\t{{.Role}}\t{{.CreatedAt}}"
_HEADERS = {"Name": "NAME", "Role": "ROLE", "CreatedAt": "CREATED AT"}


def run(given: Given, console: Console) -> int:
    """Print one row a user."""

    async def rows(records: Records) -> list[dict[str, object]]:
        return [
            {
                "Name": user.name,
                "Role": "admin" if user.is_admin else "user",
                "CreatedAt": user.created_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
            }
            for user in await records.users.all()
        ]

    found = hub_data.with_records(given, rows)
    console.lines(render_rows(found, format=given.format, default_table=_TABLE, headers=_HEADERS))
    return 0
