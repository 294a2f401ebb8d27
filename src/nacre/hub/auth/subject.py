"""Who asks, as far as a request has shown."""

from __future__ import annotations

from dataclasses import dataclass

from nacre.hub.accounts.user import Identity


@dataclass(frozen=True, slots=True)
class Subject:
    """Who makes a request.

    What somebody may do is decided by the records at every request; a token only narrows it.

    Attributes:
        user: the user's name; None for the anonymous.
        scopes: what the token says may be done: repository name to actions. None does not narrow
            (a password was given), an empty mapping allows nothing.
        identity: which user that was when the password was checked or the token issued; None for
            the anonymous.
    """

    user: str | None = None
    scopes: dict[str, frozenset[str]] | None = None
    identity: Identity | None = None

    @property
    def name(self) -> str:
        """The name for records and logs; "" for the anonymous."""
        return self.user or ""

    def narrowed(self, repository: str, actions: frozenset[str]) -> frozenset[str]:
        """Return those of the actions on a repository that the token does not rule out."""
        if self.scopes is None:
            return actions
        return actions & self.scopes.get(repository, frozenset())


ANONYMOUS = Subject()
