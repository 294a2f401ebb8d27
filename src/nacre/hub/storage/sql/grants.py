"""Giving and taking roles, in SQL."""

from __future__ import annotations

from sqlalchemy import Connection, Table, bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from nacre.errors import NotFound
from nacre.hub.errors import UserUnknown
from nacre.hub.repositories.repository import Role
from nacre.hub.storage.sql.schema import (
    namespace_grants,
    namespaces,
    repositories,
    repository_grants,
    users,
)
from nacre.oci.quoting import quoted

_USER = select(users.c.id).where(users.c.name == bindparam("user"))


def give(connection: Connection, name: str, user: str, role: Role | None) -> None:
    """Give a user a role in a repository (``team/app``) or a namespace (``team/``).

    Raises:
        NotFound: there is no such user, namespace or repository.
    """
    who = connection.execute(_USER, {"user": user}).scalar()
    if who is None:
        raise UserUnknown(user)
    if name.endswith("/"):
        places, grants, column, place = namespaces, namespace_grants, "namespace_id", name[:-1]
    else:
        places, grants, column, place = repositories, repository_grants, "repository_id", name
    where = connection.execute(select(places.c.id).where(places.c.name == place)).scalar()
    if where is None:
        raise NotFound(
            f"there is no namespace or repository {quoted(name)}",
            remedy="'nacre hub repo ls' shows all",
        )
    _set(connection, grants, {"user_id": who, column: where}, role)


def _set(connection: Connection, grants: Table, whose: dict[str, int], role: Role | None) -> None:
    if role is None:
        its = [grants.c[column] == number for column, number in whose.items()]
        connection.execute(delete(grants).where(*its))
        return
    given = insert(grants).values(**whose, role=role)
    connection.execute(given.on_conflict_do_update(index_elements=list(whose), set_={"role": role}))
