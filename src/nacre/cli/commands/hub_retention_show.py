"""``nacre hub retention show``: which tags a repository keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data, hub_retention
from nacre.cli.options import TABLE_FORMAT
from nacre.cli.render.format import render_rows

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records
    from nacre.hub.repositories.repository import Namespace, Repository

FLAGS = (*hub_data.FLAGS, TABLE_FORMAT)
_TABLE = "table {{.Last}}\t{{.PushedWithin}}\t{{.PulledWithin}}\t{{.Matching}}"
_HEADERS = {
    "Last": "LAST",
    "PushedWithin": "PUSHED WITHIN",
    "PulledWithin": "PULLED WITHIN",
    "Matching": "MATCHING",
}
MORE = """\
Shows what holds, be it the repository's own or its namespace's; a row of
nothing means that everything is kept.
"""


def run(given: Given, console: Console) -> int:
    """Print the rules that hold."""

    async def rows(records: Records) -> list[dict[str, object]]:
        place = given.words[0]
        if place.endswith("/"):
            holder: Namespace | Repository = await hub_retention.namespace_of(records, place)
        else:
            holder = await hub_data.repository_of(records, place)
        return [hub_retention.row(holder.policy.retention)]

    found = hub_data.with_records(given, rows)
    console.lines(render_rows(found, format=given.format, default_table=_TABLE, headers=_HEADERS))
    return 0
