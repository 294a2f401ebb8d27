"""``nacre hub user add``: let somebody else in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import switch
from nacre.cli.passwords import new_password
from nacre.hub.accounts.names import checked_user_name
from nacre.hub.accounts.passwords import Passwords, checked_password

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = (
    *hub_data.FLAGS,
    switch("admin", "Let the user run the hub: see and change everything"),
    switch("password-stdin", "Take the password from stdin"),
)


def run(given: Given, console: Console) -> int:
    """Make the user and its namespace."""
    name = checked_user_name(given.words[0])
    password = checked_password(new_password(console, "user add", piped=given.password_stdin))

    async def add(records: Records) -> None:
        with Passwords() as passwords:
            recorded = await passwords.hash(password)
        await records.users.add(name, recorded, is_admin=given.admin)

    hub_data.with_records(given, add)
    console.line(name)
    return 0
