"""The records of users, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, insert, select, update

from nacre.errors import AlreadyExists
from nacre.hub.accounts.user import User
from nacre.hub.errors import UserUnknown
from nacre.hub.repositories.repository import Role, Visibility
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.repository_rows import ensure_namespace
from nacre.hub.storage.sql.schema import namespace_grants, namespaces, repositories, users
from nacre.hub.storage.sql.values import moment, stamp
from nacre.oci.quoting import quoted

_FIND = select(users).where(users.c.name == bindparam("user"))
_ALL = select(users).order_by(users.c.name)
_TAKEN = select(namespaces.c.id).where(namespaces.c.name == bindparam("namespace"))
_ADD = insert(users)
_OWN = insert(namespace_grants)
_SET = (
    update(users)
    .where(users.c.name == bindparam("user"))
    .values(password_hash=bindparam("hash"), epoch=users.c.epoch + 1)
)
_REHASH = (
    update(users)
    .where(users.c.name == bindparam("user"), users.c.password_hash == bindparam("old"))
    .values(password_hash=bindparam("hash"))
)
_REMOVE = delete(users).where(users.c.name == bindparam("user"))
_REMOVE_EMPTY = delete(namespaces).where(
    namespaces.c.name == bindparam("namespace"),
    ~exists().where(repositories.c.namespace_id == namespaces.c.id),
)


class SqlUsers:
    """Meets `nacre.hub.accounts.user.Users`.

    A namespace that holds nothing goes with the user of its name; any other stays, and keeps the
    name from being given out.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime],
        quota: int,
        visibility: Visibility,
    ) -> None:
        self._database = database
        self._now = now
        self._quota = quota
        self._visibility = visibility

    async def find(self, name: str) -> User | None:
        """See `Users.find`."""
        return await self._database.known(
            ("user", name), lambda connection: _find(connection, name)
        )

    async def add(
        self, name: str, password_hash: str, *, is_admin: bool, adopt: bool = False
    ) -> User:
        """See `Users.add`."""

        def change(connection: Connection) -> User:
            taken = connection.execute(_TAKEN, {"namespace": name}).first()
            if (taken is not None and not adopt) or _find(connection, name) is not None:
                raise AlreadyExists(f"the name {quoted(name)} is taken")
            values = {
                "name": name,
                "password_hash": password_hash,
                "is_admin": is_admin,
                "epoch": 0,
                "created_at": stamp(self._now()),
            }
            connection.execute(_ADD, values)
            user = _known(connection, name)
            namespace = ensure_namespace(connection, name, self._visibility, quota=self._quota)
            owner = {"user_id": user.id, "namespace_id": namespace, "role": Role.OWNER}
            connection.execute(_OWN, owner)
            return user

        return await self._database.write(change)

    async def set_password(self, name: str, password_hash: str) -> None:
        """See `Users.set_password`."""

        def change(connection: Connection) -> None:
            _known(connection, name)
            connection.execute(_SET, {"user": name, "hash": password_hash})

        await self._database.write(change)

    async def rehash(self, name: str, old_hash: str, new_hash: str) -> None:
        """See `Users.rehash`."""
        hashes = {"user": name, "old": old_hash, "hash": new_hash}

        def change(connection: Connection) -> None:
            connection.execute(_REHASH, hashes)

        await self._database.write(change)

    async def remove(self, name: str) -> None:
        """See `Users.remove`."""

        def change(connection: Connection) -> None:
            _known(connection, name)
            connection.execute(_REMOVE, {"user": name})
            connection.execute(_REMOVE_EMPTY, {"namespace": name})

        await self._database.write(change)

    async def all(self) -> Sequence[User]:
        """See `Users.all`."""
        return await self._database.survey(
            lambda connection: [_user(row) for row in connection.execute(_ALL)]
        )


def _find(connection: Connection, name: str) -> User | None:
    row = connection.execute(_FIND, {"user": name}).first()
    return None if row is None else _user(row)


def _known(connection: Connection, name: str) -> User:
    user = _find(connection, name)
    if user is None:
        raise UserUnknown(name)
    return user


def _user(row: Row[*tuple[Any, ...]]) -> User:
    created_at = moment(row.created_at)
    return User(row.id, row.name, row.password_hash, row.is_admin, row.epoch, created_at)
