"""One look at the records that says what one user is to one repository name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, literal, select

from nacre.hub.accounts.user import Identity
from nacre.hub.repositories.repository import Namespace, Repository, Role, Standing, Visibility
from nacre.hub.storage.sql.schema import (
    namespace_grants,
    namespaces,
    repositories,
    repository_grants,
    users,
)
from nacre.hub.storage.sql.values import EMPTY_POLICY, policy_from

_RANKS = {role: rank for rank, role in enumerate(Role)}

_one = select(literal(1).label("one")).subquery()
# There is always one row, whatever of it is known: an absent name takes the same look. What is made
# of the row is made of one for an absent name, too, and let go of: neither answers sooner.
_STANDING = select(
    repositories.c.id.label("repository"),
    func.coalesce(repositories.c.visibility, Visibility.PRIVATE).label("repository_visibility"),
    func.coalesce(repositories.c.policy, EMPTY_POLICY).label("repository_policy"),
    namespaces.c.id.label("namespace"),
    namespaces.c.name.label("namespace_name"),
    func.coalesce(namespaces.c.visibility, Visibility.PRIVATE).label("namespace_visibility"),
    func.coalesce(namespaces.c.policy, EMPTY_POLICY).label("namespace_policy"),
    namespaces.c.quota,
    namespaces.c.used,
    users.c.id.label("user"),
    users.c.epoch,
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
        identity=Identity(row.user, row.epoch) if row.user is not None else None,
    )


def _namespace(row: Row[*tuple[Any, ...]]) -> Namespace | None:
    made = Namespace(
        row.namespace,
        row.namespace_name,
        Visibility(row.namespace_visibility),
        policy_from(row.namespace_policy),
        row.quota,
        row.used,
    )
    return made if row.namespace is not None else None


def _repository(row: Row[*tuple[Any, ...]], name: str) -> Repository | None:
    policy = policy_from(row.repository_policy).filled_from(policy_from(row.namespace_policy))
    visibility = Visibility(row.repository_visibility)
    made = Repository(row.repository, name, row.namespace, visibility, policy)
    return made if row.repository is not None else None
