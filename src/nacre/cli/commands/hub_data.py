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
from nacre.hub.configuration.settings import load
from nacre.hub.repositories.access import canonical
from nacre.oci.quoting import quoted

if TYPE_CHECKING:
    from datetime import datetime

    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.configuration.settings import Settings
    from nacre.hub.records import Records
    from nacre.hub.repositories.policy import Policy
    from nacre.hub.repositories.repository import Repository

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
    from nacre.hub.opening import has_records, records_of

    settings = settings_of(given)
    if not has_records(settings):
        raise NotFound(
            f"there is no hub in {settings.data}",
            remedy="name its folder with --data, or start one with 'nacre hub serve'",
        )

    async def main() -> T:
        async with records_of(settings) as records:
            return await work(records, settings)

    return asyncio.run(main())


def for_each(
    given: Given, console: Console, work: Callable[[Records, str], Awaitable[None]]
) -> int:
    """Do something to each thing that is named, and return the exit code.

    One that is not there is complained about, and does not keep the others.
    """

    async def all_of_them(records: Records) -> bool:
        failed = False
        for name in given.words:
            try:
                await work(records, name)
            except NotFound as error:
                failed = True
                console.complain(error)
            else:
                console.line(name)
        return failed

    return int(with_records(given, all_of_them))


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
        raise no_repository(name)
    return standing.repository


async def own_policy(records: Records, name: str) -> Policy:
    """Return what a repository's policy says beyond that of its namespace.

    Raises:
        NotFound: there is no such repository.
    """
    standing = await records.repositories.standing(canonical(name), None)
    if standing.repository is None or standing.namespace is None:
        raise no_repository(name)
    return standing.repository.policy.beyond(standing.namespace.policy)


def no_repository(name: str) -> NotFound:
    """Return the error for a repository that is not there."""
    return NotFound(
        f"there is no repository {quoted(name)}",
        remedy="'nacre hub repo ls' shows all; the first push makes one",
    )


def shown_time(time: datetime | None) -> str:
    """Return a time as the listings show it; "" for never."""
    return "" if time is None else time.strftime("%Y-%m-%d %H:%M:%S UTC")
