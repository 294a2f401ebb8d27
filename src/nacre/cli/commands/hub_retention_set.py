"""``nacre hub retention set``: change which tags are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data, hub_retention
from nacre.hub.repositories.access import canonical

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = (*hub_data.FLAGS, *hub_retention.FLAGS)
MORE = """\
A tag stays when one of the rules keeps it; without any rule everything stays.
What a repository does not state, its namespace does. Tags that cannot be
moved or deleted (--immutable) stay in any case, and what was deleted can be
restored for some time.
"""


def run(given: Given, console: Console) -> int:
    """Change it."""
    place = given.words[0]
    change = _change_namespace if place.endswith("/") else _change_repository
    hub_data.with_records(given, lambda records: change(records, place, given))
    console.line(place)
    return 0


async def _change_namespace(records: Records, place: str, given: Given) -> None:
    space = await hub_retention.namespace_of(records, place)
    policy = replace(space.policy, retention=hub_retention.changed(space.policy.retention, given))
    await records.repositories.change_namespace(space.name, policy=policy)


async def _change_repository(records: Records, place: str, given: Given) -> None:
    own = await hub_data.own_policy(records, place)
    policy = replace(own, retention=hub_retention.changed(own.retention, given))
    await records.repositories.change(canonical(place), policy=policy)
