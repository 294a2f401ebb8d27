"""The records of namespaces, repositories and roles, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, insert, or_, select, true, update

from nacre.hub.errors import NameUnknown
from nacre.hub.jobs.queue import Kind
from nacre.hub.repositories.policy import Policy
from nacre.hub.repositories.repository import Namespace, Repository, Role, Standing, Visibility
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.grants import give
from nacre.hub.storage.sql.keeping import Keeping
from nacre.hub.storage.sql.queue import NO_DIGEST, enqueue
from nacre.hub.storage.sql.removing import remove_repository
from nacre.hub.storage.sql.repository_rows import (
    HAS_CONTENT,
    REPOSITORIES,
    ensure_namespace,
    find_namespace,
    find_repository,
    namespace_of_row,
    repository_of,
)
from nacre.hub.storage.sql.schema import (
    links,
    namespace_grants,
    namespaces,
    repositories,
    repository_grants,
    users,
)
from nacre.hub.storage.sql.standing import standing
from nacre.hub.storage.sql.values import EMPTY_POLICY, policy_text
from nacre.oci.digest import Digest
from nacre.oci.quoting import quoted

_ENOUGH = 10
_ADD = insert(repositories)
_NAMESPACES = select(namespaces).order_by(namespaces.c.name)
_USER = select(users.c.id, users.c.is_admin).where(users.c.name == bindparam("user"))


class SqlRepositories:
    """Meets `nacre.hub.repositories.repository.Repositories`."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime],
        keeping: Keeping,
        quota: int,
        visibility: Visibility,
    ) -> None:
        self._database = database
        self._now = now
        self._keeping = keeping
        self._quota = quota
        self._visibility = visibility

    async def standing(self, name: str, user: str | None) -> Standing:
        """See `Repositories.standing`."""
        return await self._database.known(
            ("standing", name, user), lambda connection: standing(connection, name, user)
        )

    async def ensure(self, name: str, visibility: Visibility) -> Repository:
        """See `Repositories.ensure`."""
        found = await self._database.read(lambda connection: find_repository(connection, name))
        if found is not None:
            return found

        def change(connection: Connection) -> Repository:
            if find_repository(connection, name) is None:
                namespace = ensure_namespace(
                    connection, name.partition("/")[0], visibility, quota=self._quota
                )
                values = {
                    "name": name,
                    "namespace_id": namespace,
                    "visibility": visibility,
                    "policy": EMPTY_POLICY,
                }
                connection.execute(_ADD, values)
                made, due = _known(connection, name), self._now() + self._keeping.grace
                enqueue(connection, Kind.REPOSITORY, made.id, NO_DIGEST, due)
            return _known(connection, name)

        return await self._database.write(change)

    async def remove(self, name: str) -> None:
        """See `Repositories.remove`."""

        def change(connection: Connection) -> None:
            now = self._now()
            found = _known(connection, name)
            remove_repository(connection, found, now=now, trash_at=now + self._keeping.trash)

        await self._database.write(change)

    async def names(self, user: str | None, *, after: str, limit: int) -> Sequence[str]:
        """See `Repositories.names`."""

        def look(connection: Connection) -> list[str]:
            asked = select(repositories.c.name).where(
                repositories.c.name > after, HAS_CONTENT, _readable(connection, user)
            )
            return list(connection.scalars(asked.order_by(repositories.c.name).limit(limit)))

        return await self._database.survey(look)

    async def search(self, user: str | None, text: str, limit: int) -> Sequence[Repository]:
        """See `Repositories.search`."""

        def look(connection: Connection) -> list[Repository]:
            asked = REPOSITORIES.where(
                repositories.c.name.contains(text, autoescape=True),
                HAS_CONTENT,
                _readable(connection, user),
            )
            rows = connection.execute(asked.order_by(repositories.c.name).limit(limit))
            return [repository_of(row) for row in rows]

        return await self._database.survey(look)

    async def holders(self, digest: Digest, user: str | None) -> frozenset[int]:
        """See `Repositories.holders`."""

        def look(connection: Connection) -> frozenset[int]:
            held = select(links.c.repository_id).where(
                links.c.digest == digest,
                links.c.repository_id == repositories.c.id,
                _readable(connection, user),
            )
            return frozenset(connection.scalars(held.limit(_ENOUGH)))

        return await self._database.read(look)

    async def namespaces(self) -> Sequence[Namespace]:
        """See `Repositories.namespaces`."""
        return await self._database.survey(
            lambda connection: [namespace_of_row(row) for row in connection.execute(_NAMESPACES)]
        )

    async def change(
        self, name: str, *, visibility: Visibility | None = None, policy: Policy | None = None
    ) -> Repository:
        """See `Repositories.change`."""
        values = _stated(visibility, policy)

        def change(connection: Connection) -> Repository:
            found = _known(connection, name)
            if values:
                connection.execute(
                    update(repositories).where(repositories.c.id == found.id).values(values)
                )
            return _known(connection, name)

        return await self._database.write(change)

    async def change_namespace(
        self,
        name: str,
        *,
        visibility: Visibility | None = None,
        policy: Policy | None = None,
        quota: int | None = None,
    ) -> Namespace:
        """See `Repositories.change_namespace`."""
        values = _stated(visibility, policy)
        if quota is not None:
            values["quota"] = quota or None

        def change(connection: Connection) -> Namespace:
            made_as = visibility or self._visibility
            number = ensure_namespace(connection, name, made_as, quota=self._quota)
            if values:
                its = namespaces.c.id == number
                connection.execute(update(namespaces).where(its).values(values))
            found = find_namespace(connection, name)
            if found is None:
                raise NameUnknown(f"there is no namespace {quoted(name)}")
            return found

        return await self._database.write(change)

    async def grant(self, name: str, user: str, role: Role | None) -> None:
        """See `Repositories.grant`."""
        await self._database.write(lambda connection: give(connection, name, user, role))


def _known(connection: Connection, name: str) -> Repository:
    found = find_repository(connection, name)
    if found is None:
        raise NameUnknown(f"there is no repository {quoted(name)}")
    return found


def _stated(visibility: Visibility | None, policy: Policy | None) -> dict[str, object]:
    values: dict[str, object] = {}
    if visibility is not None:
        values["visibility"] = visibility
    if policy is not None:
        values["policy"] = policy_text(policy)
    return values


def _readable(connection: Connection, user: str | None) -> ColumnElement[bool]:
    """Return the condition that a user may pull from a repository."""
    public = repositories.c.visibility == Visibility.PUBLIC
    found = connection.execute(_USER, {"user": user}).first() if user else None
    if found is None:
        return public
    if found.is_admin:
        return true()
    in_namespaces = select(namespace_grants.c.namespace_id).where(
        namespace_grants.c.user_id == found.id
    )
    in_repositories = select(repository_grants.c.repository_id).where(
        repository_grants.c.user_id == found.id
    )
    return or_(
        public,
        repositories.c.namespace_id.in_(in_namespaces),
        repositories.c.id.in_(in_repositories),
    )
