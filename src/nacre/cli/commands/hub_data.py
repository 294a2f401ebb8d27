"""What the commands on a hub's data share: its flags and its records.

They change the records themselves, which is safe beside a running hub: each change is one
transaction, and the hub looks at its records anew with every request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from nacre.cli.options import string
from nacre.errors import NotFound
from nacre.hub.settings import load

if TYPE_CHECKING:
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

T = TypeVar("T")

FLAGS = (
    string("config", "Settings file of the hub"),
    string("data", "Folder of the hub's data"),
)


def with_records(given: Given, work: Callable[[Records], Awaitable[T]]) -> T:
    """Do something with the records of the hub that the flags name.

    Raises:
        NotFound: there is no hub in the folder.
    """
    from nacre.hub.storage.sql import open_records

    settings = load(file=given.config or None, data=given.data or None)
    if not settings.records.exists():
        raise NotFound(
            f"there is no hub in {settings.data}",
            remedy="name its folder with --data, or start one with 'nacre hub serve'",
        )

    async def main() -> T:
        async with open_records(settings.records) as records:
            return await work(records)

    return asyncio.run(main())


async def someone_in_charge(records: Records) -> str:
    """Return a user that may see everything.

    Raises:
        NotFound: the hub has none.
    """
    for user in await records.users.all():
        if user.is_admin:
            return user.name
    raise NotFound("this hub has no admin", remedy="make one with 'nacre hub user add --admin'")
