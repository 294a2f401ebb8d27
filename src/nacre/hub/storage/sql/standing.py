"""One look at the records that says what one user is to one repository name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, literal, select

from nacre.hub.repositories.repository import Namespace, Repository, Role, Standing, Visibility
from nacre.hub.storage.sql.schema import (
    namespace_grants,
    namespaces,
    repositories,
    repository_grants,
    users,
)
from nacre.hub.storage.sql.values import policy_from

_RANKS = {role: rank for rank, role in enumerate(Role)}

_one = select(literal(1).label("one")).subquery()
# There is always one row, whatever of it is known: an absent name takes the same look.
_STANDING = select(
    repositories.c.id.label("repository"),
    repositories.c.visibility.label("repository_visibility"),
    repositories.c.policy.label("repository_policy"),
    namespaces.c.id.label("namespace"),
    namespaces.c.name.label("namespace_name"),
    namespaces.c.visibility.label("namespace_visibility"),
    namespaces.c.policy.label("namespace_policy"),
    namespaces.c.quota,
    namespaces.c.used,
    users.c.id.label("user"),
    users.c.is_admin,
    namespace_grants.c.role.label("namespace_role"),
    repository_grants.c.role.label("repository_role"),
).select_from(
    _one.outerjoin(users, users.c.name == bindparam("user"))
    .outerjoin(namespaces, namespaces.c.name == bindparam("namespace"))
    .outerjoin(repositories, repositories.c.name == bindparam("repository"))
    .outerjoin(
        namespace_grants,
        and_(
            namespace_grants.c.user_id == users.c.id,
            namespace_grants.c.namespace_id == namespaces.c.id,
        ),
    )
    .outerjoin(
        repository_grants,
        and_(
            repository_grants.c.user_id == users.c.id,
            repository_grants.c.repository_id == repositories.c.id,
        ),
    )
)


def standing(connection: Connection, name: str, user: str | None) -> Standing:
    """Look up what `Standing` tells."""
    asked = {"user": user or "", "namespace": name.partition("/")[0], "repository": name}
    row = connection.execute(_STANDING, asked).one()
    roles = [Role(role) for role in (row.namespace_role, row.repository_role) if role is not None]
    return Standing(
        repository=_repository(row, name),
        namespace=_namespace(row),
        role=max(roles, key=_RANKS.__getitem__, default=None),
        is_admin=bool(row.is_admin),
        is_known=row.user is not None,
    )


def _namespace(row: Row[*tuple[Any, ...]]) -> Namespace | None:
    if row.namespace is None:
        return None
    return Namespace(
        row.namespace,
        row.namespace_name,
        Visibility(row.namespace_visibility),
        policy_from(row.namespace_policy),
        row.quota,
        row.used,
    )


def _repository(row: Row[*tuple[Any, ...]], name: str) -> Repository | None:
    if row.repository is None:
        return None
    policy = policy_from(row.repository_policy).filled_from(policy_from(row.namespace_policy))
    visibility = Visibility(row.repository_visibility)
    return Repository(row.repository, name, row.namespace, visibility, policy)
