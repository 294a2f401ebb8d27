"""The first user of a new hub."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from nacre.errors import AlreadyExists
from nacre.hub.accounts.passwords import Passwords
from nacre.hub.accounts.user import Users

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FIRST = "admin"
"""The name of the first user, who runs the hub."""


def random_password() -> str:
    """Return a password that nobody can guess: 144 bits as 24 characters."""
    return secrets.token_urlsafe(18)


async def first_admin(users: Users, *, hasher: PasswordHasher | None = None) -> str | None:
    """Make the user ``admin`` where there is no user yet, and return its password.

    It is known to nobody else and not kept: show it once. None means that there are users, or
    that another process was faster. ``hasher`` states the cost of its hash.
    """
    if await users.all():
        return None
    password = random_password()
    with Passwords(hasher) as passwords:
        recorded = await passwords.hash(password)
    try:
        # A hub that was rebuilt has the namespace already, and nobody whose it is.
        await users.add(FIRST, recorded, is_admin=True, adopt=True)
    except AlreadyExists:
        return None
    return password
