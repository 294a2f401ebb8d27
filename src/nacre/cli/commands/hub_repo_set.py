"""``nacre hub repo set``: change what holds in a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data, hub_terms
from nacre.hub.repositories.access import canonical

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = (*hub_data.FLAGS, *hub_terms.FLAGS)


def run(given: Given, console: Console) -> int:
    """Change it."""
    name = given.words[0]
    hub_terms.check_some(given)

    async def change(records: Records) -> None:
        own = await hub_data.own_policy(records, name)
        await records.repositories.change(
            canonical(name),
            visibility=given.visibility,
            policy=hub_terms.changed(own, given),
        )

    hub_data.with_records(given, change)
    console.line(name)
    return 0
