"""Statements about repositories and namespaces, and what their rows mean."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, insert, or_, select

from nacre.hub.repositories.repository import Namespace, Repository, Visibility
from nacre.hub.storage.sql.schema import links, manifests, namespaces, repositories
from nacre.hub.storage.sql.values import EMPTY_POLICY, policy_from

REPOSITORIES = select(repositories, namespaces.c.policy.label("namespace_policy")).join_from(
    repositories, namespaces, repositories.c.namespace_id == namespaces.c.id
)
HAS_CONTENT = or_(
    exists().where(links.c.repository_id == repositories.c.id),
    exists().where(manifests.c.repository_id == repositories.c.id),
)
"""The condition that something was completed in a repository, and is still there."""

_REPOSITORY = REPOSITORIES.where(repositories.c.name == bindparam("repository"))
_NAMESPACE = select(namespaces).where(namespaces.c.name == bindparam("namespace"))
_ADD_NAMESPACE = insert(namespaces)


def find_repository(connection: Connection, name: str) -> Repository | None:
    """Return a repository, or None."""
    row = connection.execute(_REPOSITORY, {"repository": name}).first()
    return None if row is None else repository_of(row)


def repository_of(row: Row[*tuple[Any, ...]]) -> Repository:
    """Return the repository of a row of `REPOSITORIES`."""
    policy = policy_from(row.policy).filled_from(policy_from(row.namespace_policy))
    return Repository(row.id, row.name, row.namespace_id, Visibility(row.visibility), policy)


def find_namespace(connection: Connection, name: str) -> Namespace | None:
    """Return a namespace, or None."""
    row = connection.execute(_NAMESPACE, {"namespace": name}).first()
    return None if row is None else namespace_of_row(row)


def namespace_of_row(row: Row[*tuple[Any, ...]]) -> Namespace:
    """Return the namespace of a row."""
    policy = policy_from(row.policy)
    return Namespace(row.id, row.name, Visibility(row.visibility), policy, row.quota, row.used)


def ensure_namespace(
    connection: Connection, name: str, visibility: Visibility, *, quota: int
) -> int:
    """Return the number of a namespace, which is made when missing."""
    found = find_namespace(connection, name)
    if found is not None:
        return found.id
    return add_namespace(connection, name, visibility, quota=quota)


def add_namespace(connection: Connection, name: str, visibility: Visibility, *, quota: int) -> int:
    """Make a namespace and return its number; a ``quota`` of 0 is none."""
    values = {
        "name": name,
        "visibility": visibility,
        "policy": EMPTY_POLICY,
        "quota": quota or None,
        "used": 0,
    }
    connection.execute(_ADD_NAMESPACE, values)
    return int(connection.execute(_NAMESPACE, {"namespace": name}).one().id)
