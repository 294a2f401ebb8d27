"""Repositories and the namespaces that hold them.

A repository is named by a path, as in ``team/app/web``; the first part is its namespace, which
owns it. A path of one part, as in ``nginx``, means ``library/nginx``: the official repositories.

A namespace comes to be with the user of its name, or when the hub's owner makes it. A repository
comes to be with the first upload to it by somebody who may push there, and goes when somebody who
may deletes it: at once for everybody, its content some time later (see ``jobs``). One in which no
push was ever completed is not listed, and is collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from nacre.hub.accounts.user import Identity
from nacre.hub.repositories.policy import Policy
from nacre.oci.digest import Digest

OFFICIAL = "library"
"""The namespace of the official repositories, into which names of one part fall."""


class Visibility(StrEnum):
    """Who may pull without being given a role."""

    PUBLIC = "public"
    PRIVATE = "private"


class Role(StrEnum):
    """What a user may do in a namespace or a repository; each includes those before it."""

    READER = "reader"
    WRITER = "writer"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Namespace:
    """The owner of repositories.

    Attributes:
        visibility: of repositories that pushes make in it.
        quota: how many bytes its repositories may hold together; None is no limit.
        used: how many they hold, each blob counted once a namespace, and each manifest once a
            repository.
    """

    id: int
    name: str
    visibility: Visibility
    policy: Policy
    quota: int | None
    used: int


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository: its ``policy`` is what holds after its namespace has filled the gaps."""

    id: int
    name: str
    namespace_id: int
    visibility: Visibility
    policy: Policy


@dataclass(frozen=True, slots=True)
class Standing:
    """What one look at the records says about one user and one repository name.

    Attributes:
        repository: None when there is none of this name.
        namespace: None when there is none of this name either.
        role: the user's highest role in the two, or None.
        is_admin: whether the user runs this hub.
        identity: which user that is; None for the anonymous, and when there is no such user.
    """

    repository: Repository | None
    namespace: Namespace | None
    role: Role | None
    is_admin: bool
    identity: Identity | None


class Repositories(Protocol):
    """The records of namespaces, repositories and roles. Each method is one transaction."""

    async def standing(self, name: str, user: str | None) -> Standing:
        """Look up what `Standing` tells, for a canonical name; ``user`` None is the anonymous."""

    async def ensure(self, name: str, visibility: Visibility) -> Repository:
        """Return the repository, making it, and its namespace, when missing.

        What is made gets this visibility. An id is never given out again.
        """

    async def remove(self, name: str) -> None:
        """Delete a repository: its tags, manifests and blobs are gone at once for everybody.

        So are its uploads, its history, and the roles in it; a new one of the name has none.

        Raises:
            NameUnknown: there is none.
        """

    async def names(self, user: str | None, *, after: str, limit: int) -> Sequence[str]:
        """Return the names that ``user`` may pull from, in ASCII order, those after ``after``.

        An admin sees all of them, but none that has neither a manifest nor a blob: a push that was
        refused makes no name known.
        """

    async def search(self, user: str | None, text: str, limit: int) -> Sequence[Repository]:
        """Return repositories that ``user`` may pull from and whose names hold ``text``.

        By name, as `names`; every character of ``text`` means itself.
        """

    async def holders(self, digest: Digest, user: str | None) -> frozenset[int]:
        """Return the ids of some repositories that have a blob and that ``user`` may pull from.

        Where any are, at least one is returned: enough to mount from.
        """

    async def namespaces(self) -> Sequence[Namespace]:
        """Return every namespace, by name."""

    async def change(
        self, name: str, *, visibility: Visibility | None = None, policy: Policy | None = None
    ) -> Repository:
        """Change what a repository states about itself; None leaves as it is.

        Raises:
            NameUnknown: there is none.
        """

    async def change_namespace(
        self,
        name: str,
        *,
        visibility: Visibility | None = None,
        policy: Policy | None = None,
        quota: int | None = None,
    ) -> Namespace:
        """Change a namespace, making it when missing; None leaves as it is, quota 0 lifts it.

        One that is made is private, or what the records were opened with. A quota below what is
        used removes nothing: only more is refused.
        """

    async def grant(self, name: str, user: str, role: Role | None) -> None:
        """Give a user a role in a repository (``team/app``) or a namespace (``team/``).

        A role of None takes it away.

        Raises:
            NotFound: there is no such user, namespace or repository.
        """
