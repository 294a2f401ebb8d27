"""``nacre hub user passwd``: change a user's password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import switch
from nacre.cli.passwords import new_password
from nacre.hub.accounts.passwords import Passwords, checked_password
from nacre.hub.errors import UserUnknown

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = (*hub_data.FLAGS, switch("password-stdin", "Take the password from stdin"))
MORE = """\
Logins that clients keep (refresh tokens) end with the old password.
"""


def run(given: Given, console: Console) -> int:
    """Set the password."""
    name = given.words[0]

    async def check(records: Records) -> None:
        if await records.users.find(name) is None:
            raise UserUnknown(name)

    async def change(records: Records) -> None:
        with Passwords() as passwords:
            recorded = await passwords.hash(password)
        await records.users.set_password(name, recorded)

    hub_data.with_records(given, check)
    password = checked_password(new_password(console, "user passwd", piped=given.password_stdin))
    hub_data.with_records(given, change)
    console.line(name)
    return 0
