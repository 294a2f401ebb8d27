"""``nacre hub user rm``: shut somebody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.errors import NotFound

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = hub_data.FLAGS


def run(given: Given, console: Console) -> int:
    """Remove them; what cannot be removed does not keep the others."""

    async def remove(records: Records) -> bool:
        failed = False
        for name in given.words:
            try:
                await records.users.remove(name)
            except NotFound as error:
                failed = True
                console.complain(error)
            else:
                console.line(name)
        return failed

    return int(hub_data.with_records(given, remove))
