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
from nacre.hub.repositories.access import canonical
from nacre.hub.settings import load
from nacre.oci.quoting import quoted

if TYPE_CHECKING:
    from datetime import datetime

    from nacre.cli.flags import Given
    from nacre.hub.records import Records
    from nacre.hub.repositories.repository import Repository
    from nacre.hub.settings import Settings

T = TypeVar("T")

BY = "operator"
"""Who has changed a tag, in its history, when a command on the hub's data has."""

FLAGS = (
    string("config", "Settings file of the hub"),
    string("data", "Folder of the hub's data"),
)


def with_records(given: Given, work: Callable[[Records], Awaitable[T]]) -> T:
    """Do something with the records of the hub that the flags name.

    Raises:
        NotFound: there is no hub in the folder.
    """
    return with_hub(given, lambda records, _settings: work(records))


def with_hub(given: Given, work: Callable[[Records, Settings], Awaitable[T]]) -> T:
    """Do something with the records of the hub that the flags name, knowing its settings.

    Raises:
        NotFound: there is no hub in the folder.
    """
    from nacre.hub.opening import records_of

    settings = settings_of(given)
    if not settings.records.exists():
        raise NotFound(
            f"there is no hub in {settings.data}",
            remedy="name its folder with --data, or start one with 'nacre hub serve'",
        )

    async def main() -> T:
        async with records_of(settings) as records:
            return await work(records, settings)

    return asyncio.run(main())


def settings_of(given: Given) -> Settings:
    """Return the settings of the hub that the flags name."""
    return load(file=given.config or None, data=given.data or None)


async def repository_of(records: Records, name: str) -> Repository:
    """Return a repository by its name as people write it.

    Raises:
        NotFound: there is none.
    """
    standing = await records.repositories.standing(canonical(name), None)
    if standing.repository is None:
        raise NotFound(f"there is no repository {quoted(name)}")
    return standing.repository


def shown_time(time: datetime | None) -> str:
    """Return a time as the listings show it; "" for never."""
    return "" if time is None else time.strftime("%Y-%m-%d %H:%M:%S UTC")
