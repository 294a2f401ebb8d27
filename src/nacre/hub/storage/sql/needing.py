"""Statements about what is needed: by which tags, and manifests that are needed again."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Select, bindparam, or_, select, update

from nacre.hub.registry.manifests import Reference
from nacre.hub.storage.sql.links import BLOBS
from nacre.hub.storage.sql.schema import manifest_references, manifests, tags

_it = manifests.c.digest == bindparam("manifest")
_refers = manifests.c.subject == bindparam("manifest")
_find = (
    update(manifests)
    .where(manifests.c.repository_id == bindparam("repository"))
    .values(lost_at=None)
)
_FIND = _find.where(_it)
_FIND_WITH_REFERRERS = _find.where(or_(_it, _refers))


def _parents(*kinds: Reference) -> Select[tuple[str]]:
    """Return the question for the manifests that name ``about`` in one of these ways."""
    named = manifest_references.c
    return select(named.parent).where(
        named.repository_id == bindparam("repository"),
        named.child == bindparam("about"),
        named.kind.in_(kinds),
    )


def _tags_above(naming: Select[tuple[str]]) -> Select[tuple[str]]:
    """Return the question for tags that lead, through indexes, to one of these manifests."""
    above = naming.cte("above", recursive=True)
    named = manifest_references.c
    above = above.union(
        select(named.parent).where(
            named.repository_id == bindparam("repository"),
            named.child == above.c.parent,
            named.kind == Reference.MANIFEST,
        )
    )
    return (
        select(tags.c.name)
        .distinct()
        .where(tags.c.repository_id == bindparam("repository"), tags.c.digest == above.c.parent)
        .order_by(tags.c.name)
    )


_OF_BLOB = _tags_above(_parents(*BLOBS))
_OF_MANIFEST = _tags_above(_parents(Reference.MANIFEST))


def tags_needing_blob(connection: Connection, repository: int, digest: str) -> list[str]:
    """Return the tags whose images a blob is a part of, those of indexes too."""
    return list(connection.scalars(_OF_BLOB, {"repository": repository, "about": digest}))


def tags_needing_manifest(connection: Connection, repository: int, digest: str) -> list[str]:
    """Return the tags of indexes that a manifest is a part of."""
    return list(connection.scalars(_OF_MANIFEST, {"repository": repository, "about": digest}))


def need(connection: Connection, repository: int, digests: Iterable[str]) -> None:
    """Let manifests of a repository stay: something points to them again."""
    rows = [{"repository": repository, "manifest": digest} for digest in digests]
    if rows:
        connection.execute(_FIND, rows)


def need_with_referrers(connection: Connection, repository: int, digest: str) -> None:
    """Let a manifest stay, or start anew, and those that have it as their subject."""
    connection.execute(_FIND_WITH_REFERRERS, {"repository": repository, "manifest": digest})
