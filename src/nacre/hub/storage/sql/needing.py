"""Statements about manifests that are needed again: what was lost is found."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, or_, update

from nacre.hub.storage.sql.schema import manifests

_it = manifests.c.digest == bindparam("manifest")
_refers = manifests.c.subject == bindparam("manifest")
_find = (
    update(manifests)
    .where(manifests.c.repository_id == bindparam("repository"))
    .values(lost_at=None)
)
_FIND = _find.where(_it)
_FIND_WITH_REFERRERS = _find.where(or_(_it, _refers))


def need(connection: Connection, repository: int, digests: Iterable[str]) -> None:
    """Let manifests of a repository stay: something points to them again."""
    rows = [{"repository": repository, "manifest": digest} for digest in digests]
    if rows:
        connection.execute(_FIND, rows)


def need_with_referrers(connection: Connection, repository: int, digest: str) -> None:
    """Let a manifest stay, or start anew, and those that have it as their subject."""
    connection.execute(_FIND_WITH_REFERRERS, {"repository": repository, "manifest": digest})
