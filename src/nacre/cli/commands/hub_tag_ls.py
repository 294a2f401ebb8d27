"""``nacre hub tag ls``: list the tags of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import TABLE_FORMAT, switch
from nacre.cli.render.format import render_rows

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = (*hub_data.FLAGS, TABLE_FORMAT, switch("quiet", "Only show names", "q"))
_TABLE = "table {{.Name}}\t{{.Digest}}\t{{.PushedAt}}\t{{.PushedBy}}\t{{.PulledAt}}"
_HEADERS = {
    "Name": "TAG",
    "Digest": "DIGEST",
    "PushedAt": "PUSHED",
    "PushedBy": "BY",
    "PulledAt": "PULLED",
}


def run(given: Given, console: Console) -> int:
    """Print one row a tag, the latest pushed first."""

    async def rows(records: Records) -> list[dict[str, object]]:
        repository = await hub_data.repository_of(records, given.words[0])
        return [
            {
                "Name": tag.name,
                "Digest": str(tag.digest),
                "PushedAt": hub_data.shown_time(tag.pushed_at),
                "PushedBy": tag.by,
                "PulledAt": hub_data.shown_time(tag.pulled_at),
            }
            for tag in await records.manifests.tag_list(repository.id)
        ]

    found = hub_data.with_records(given, rows)
    if given.quiet:
        console.lines(str(row["Name"]) for row in found)
    else:
        console.lines(
            render_rows(found, format=given.format, default_table=_TABLE, headers=_HEADERS)
        )
    return 0
