"""``nacre hub user add``: let somebody else in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import switch
from nacre.cli.passwords import new_password
from nacre.errors import AlreadyExists
from nacre.hub.accounts.names import checked_user_name
from nacre.hub.accounts.passwords import Passwords, checked_password

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

MORE = """\
A namespace keeps its name when its user is removed, or "nacre hub rebuild" has
made it again: nobody else must get it by mistake. --adopt says that this is the
right user.
"""
FLAGS = (
    *hub_data.FLAGS,
    switch("adopt", "Make a namespace that is there already, with all it holds, the user's"),
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
        try:
            await records.users.add(name, recorded, is_admin=given.admin, adopt=given.adopt)
        except AlreadyExists as error:
            if await records.users.find(name) is None:
                error.remedy = "with --adopt the namespace of this name becomes the user's"
            else:
                error.remedy = "'nacre hub user passwd' changes a password"
            raise

    hub_data.with_records(given, add)
    console.line(name)
    return 0
