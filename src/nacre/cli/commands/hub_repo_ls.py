"""``nacre hub repo ls``: list repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import TABLE_FORMAT
from nacre.cli.render.format import render_rows

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records
    from nacre.hub.repositories.repository import Repository

FLAGS = (*hub_data.FLAGS, TABLE_FORMAT)
_TABLE = "table {{.Name}}\t{{.Visibility}}\t{{.Immutable}}\t{{.Sparse}}"
_HEADERS = {
    "Name": "NAME",
    "Visibility": "VISIBILITY",
    "Immutable": "IMMUTABLE TAGS",
    "Sparse": "SPARSE",
}
_PAGE = 1000


def run(given: Given, console: Console) -> int:
    """Print one row a repository."""

    async def rows(records: Records) -> list[dict[str, object]]:
        found: list[Repository] = []
        while page := await records.inventory.repositories(
            after=found[-1].name if found else "", limit=_PAGE
        ):
            found.extend(page)
        return [
            {
                "Name": repository.name,
                "Visibility": repository.visibility.value,
                "Immutable": repository.policy.immutable,
                "Sparse": str(repository.policy.sparse).lower(),
            }
            for repository in found
        ]

    found = hub_data.with_records(given, rows)
    console.lines(render_rows(found, format=given.format, default_table=_TABLE, headers=_HEADERS))
    return 0
