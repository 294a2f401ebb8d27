"""``nacre hub user rm``: shut somebody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = hub_data.FLAGS


def run(given: Given, console: Console) -> int:
    """Remove them; what cannot be removed does not keep the others."""

    async def remove(records: Records, name: str) -> None:
        await records.users.remove(name)

    return hub_data.for_each(given, console, remove)
