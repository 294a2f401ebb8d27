"""``nacre hub repo revoke``: take a user's role away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.errors import NotFound
from nacre.hub.repositories.access import canonical
from nacre.oci.quoting import quoted

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records
    from nacre.hub.repositories.repository import Role

FLAGS = hub_data.FLAGS


def run(given: Given, console: Console) -> int:
    """Take the role away; whoever has none there, or keeps one, should not go unnoticed."""
    place, user = given.words
    name = place if place.endswith("/") else canonical(place)

    async def revoke(records: Records) -> Role | None:
        before = await records.repositories.standing(name, user)
        await records.repositories.grant(name, user, None)
        if before.role is None:
            raise NotFound(f"{quoted(user)} has no role in {quoted(place)}")
        return (await records.repositories.standing(name, user)).role

    left = hub_data.with_records(given, revoke)
    console.line(place)
    if left is not None:
        namespace = name.partition("/")[0]
        console.note(f"{user} still has the role {left} in the whole namespace {namespace}/")
    return 0
