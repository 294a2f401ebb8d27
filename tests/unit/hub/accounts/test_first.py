"""The first user of a hub whose records were made again."""

from __future__ import annotations

from nacre.hub.accounts.first import FIRST, first_admin
from nacre.hub.repositories.repository import Role, Visibility
from tests.unit.hub.doors import Doors, run_with


def test_a_rebuilt_hub_gets_an_admin_though_the_namespace_is_there() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_repository(f"{FIRST}/app", Visibility.PRIVATE)
        assert await first_admin(doors.records.users, hasher=doors.hasher) is not None
        standing = await doors.records.repositories.standing(f"{FIRST}/app", FIRST)
        assert (standing.is_admin, standing.role) == (True, Role.OWNER)

    run_with(main)
