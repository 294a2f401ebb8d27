"""Users of a hub.

A user comes to be by a command of the hub's owner (part of the web site later), with a namespace
of the same name that the user owns. Passwords are known only as Argon2 hashes. A removed user's
name is not given out again while the namespace of that name holds anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """Which user it is exactly: a name can be given out again, and an id cannot.

    ``epoch`` grows whenever all earlier tokens of the user must stop working.
    """

    id: int
    epoch: int


@dataclass(frozen=True, slots=True)
class User:
    """A user; for ``epoch`` see `Identity`."""

    id: int
    name: str
    password_hash: str
    is_admin: bool
    epoch: int
    created_at: datetime

    @property
    def identity(self) -> Identity:
        """What tokens of this user say, besides the name."""
        return Identity(self.id, self.epoch)


class Users(Protocol):
    """The records of users. Each method is one transaction."""

    async def find(self, name: str) -> User | None:
        """Return a user, or None."""

    async def add(
        self, name: str, password_hash: str, *, is_admin: bool, adopt: bool = False
    ) -> User:
        """Make a user and the namespace that it owns; its id was never given out before.

        The namespace is private, or what the records were opened with. With ``adopt``, one that is
        there without a user becomes the user's, with all that it holds.

        Raises:
            AlreadyExists: there is a user or a namespace of this name.
        """

    async def set_password(self, name: str, password_hash: str) -> None:
        """Change a password; tokens given out before stop working.

        Raises:
            NotFound: there is no such user.
        """

    async def rehash(self, name: str, old_hash: str, new_hash: str) -> None:
        """Keep the same password under a stronger hash, unless it was changed meanwhile."""

    async def remove(self, name: str) -> None:
        """Remove a user and its roles; its repositories stay, a namespace without any goes too.

        Raises:
            NotFound: there is no such user.
        """

    async def all(self) -> Sequence[User]:
        """Return every user, by name."""
