"""Namespaces, repositories and roles in memory."""

from __future__ import annotations

from collections.abc import Sequence

from nacre.errors import NotFound
from nacre.hub.errors import NameUnknown, UserUnknown
from nacre.hub.jobs.queue import Kind
from nacre.hub.registry.blobs import GRACE
from nacre.hub.repositories.policy import Policy
from nacre.hub.repositories.repository import Namespace, Repository, Role, Standing, Visibility
from nacre.oci.digest import Digest
from nacre.oci.quoting import quoted
from nacre.testing.hub.state import NamespaceRow, RepositoryRow, State

_RANKS = list(Role)


class MemoryRepositories:
    """Meets `nacre.hub.repositories.repository.Repositories`."""

    def __init__(self, state: State, visibility: Visibility) -> None:
        self._state = state
        self._visibility = visibility

    async def standing(self, name: str, user: str | None) -> Standing:
        row = self._state.named(name)
        namespace = self._state.namespaces.get(name.partition("/")[0])
        known = self._state.users.get(user or "")
        places = [place.roles for place in (namespace, row) if place is not None]
        roles = [roles[known.name] for roles in places if known and known.name in roles]
        return Standing(
            self._state.shown(row) if row else None,
            self._state.shown_namespace(namespace) if namespace else None,
            max(roles, key=_RANKS.index, default=None),
            is_admin=known is not None and known.is_admin,
            identity=known.identity if known is not None else None,
        )

    async def ensure(self, name: str, visibility: Visibility) -> Repository:
        row = self._state.named(name)
        if row is None:
            self._namespace(name.partition("/")[0], visibility)
            row = RepositoryRow(self._state.new_id(), name, visibility)
            self._state.repositories[row.id] = row
            self._state.queue[Kind.REPOSITORY, row.id, ""] = self._state.now() + GRACE
        return self._state.shown(row)

    def _namespace(self, name: str, visibility: Visibility) -> NamespaceRow:
        if name not in self._state.namespaces:
            row = NamespaceRow(self._state.new_id(), name, visibility)
            self._state.namespaces[name] = row
        return self._state.namespaces[name]

    async def remove(self, name: str) -> None:
        self._state.remove(self._known(name))

    def _known(self, name: str) -> RepositoryRow:
        if (row := self._state.named(name)) is None:
            raise NameUnknown(f"there is no repository {quoted(name)}")
        return row

    async def names(self, user: str | None, *, after: str, limit: int) -> Sequence[str]:
        names = (row.name for row in self._readable(user) if row.has_content)
        return sorted(name for name in names if name > after)[:limit]

    def _readable(self, user: str | None) -> list[RepositoryRow]:
        known = self._state.users.get(user or "")
        return [
            row
            for row in self._state.repositories.values()
            if row.visibility is Visibility.PUBLIC
            or (
                known is not None
                and (
                    known.is_admin
                    or known.name in row.roles
                    or known.name in self._state.namespaces[row.namespace].roles
                )
            )
        ]

    async def search(self, user: str | None, text: str, limit: int) -> Sequence[Repository]:
        found = [row for row in self._readable(user) if text in row.name and row.has_content]
        return [self._state.shown(row) for row in sorted(found, key=lambda row: row.name)[:limit]]

    async def holders(self, digest: Digest, user: str | None) -> frozenset[int]:
        return frozenset(row.id for row in self._readable(user) if digest in row.links)

    async def namespaces(self) -> Sequence[Namespace]:
        rows = self._state.namespaces
        return [self._state.shown_namespace(rows[name]) for name in sorted(rows)]

    async def change(
        self, name: str, *, visibility: Visibility | None = None, policy: Policy | None = None
    ) -> Repository:
        row = self._known(name)
        row.visibility = visibility or row.visibility
        row.policy = policy or row.policy
        return self._state.shown(row)

    async def change_namespace(
        self,
        name: str,
        *,
        visibility: Visibility | None = None,
        policy: Policy | None = None,
        quota: int | None = None,
    ) -> Namespace:
        row = self._namespace(name, visibility or self._visibility)
        row.visibility = visibility or row.visibility
        row.policy = policy or row.policy
        row.quota = row.quota if quota is None else quota or None
        return self._state.shown_namespace(row)

    async def grant(self, name: str, user: str, role: Role | None) -> None:
        if user not in self._state.users:
            raise UserUnknown(user)
        place: NamespaceRow | RepositoryRow | None
        if name.endswith("/"):
            place = self._state.namespaces.get(name[:-1])
        else:
            place = self._state.named(name)
        if place is None:
            raise NotFound(
                f"there is no namespace or repository {quoted(name)}",
                remedy="'nacre hub repo ls' shows all",
            )
        if role is None:
            place.roles.pop(user, None)
        else:
            place.roles[user] = role
