"""Removing manifests and repositories, and what becomes unneeded by that, in SQL."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, exists, func, literal, select, update
from sqlalchemy.dialects.sqlite import insert

from nacre.hub.jobs.queue import Kind
from nacre.hub.registry.manifests import Reference
from nacre.hub.repositories.repository import Repository
from nacre.hub.storage.sql.links import BLOBS, free_room, loosen_links
from nacre.hub.storage.sql.queue import NO_REPOSITORY, drop, enqueue
from nacre.hub.storage.sql.schema import (
    blobs,
    links,
    manifest_references,
    manifests,
    repositories,
    reviews,
    tag_events,
    tags,
    uploads,
)
from nacre.hub.storage.sql.values import stamp

_subjects = manifests.alias("subjects")
_references = manifest_references.c
_held = (
    exists().where(
        tags.c.repository_id == manifests.c.repository_id, tags.c.digest == manifests.c.digest
    )
    | exists().where(
        _references.repository_id == manifests.c.repository_id,
        _references.child == manifests.c.digest,
        _references.kind == Reference.MANIFEST,
    )
    | exists().where(
        _subjects.c.repository_id == manifests.c.repository_id,
        _subjects.c.digest == manifests.c.subject,
    )
)
_its = (
    manifests.c.repository_id == bindparam("repository"),
    manifests.c.digest == bindparam("manifest"),
)
_LOSE = (
    update(manifests)
    .where(*_its, manifests.c.lost_at.is_(None), ~_held)
    .values(lost_at=bindparam("at"))
)
_NAMED = select(_references.child, _references.kind).where(
    _references.repository_id == bindparam("repository"),
    _references.parent == bindparam("manifest"),
)
_REFERRERS = select(manifests.c.digest).where(
    manifests.c.repository_id == bindparam("repository"),
    manifests.c.subject == bindparam("manifest"),
)
_SIZE = select(manifests.c.size, repositories.c.namespace_id).where(
    *_its, repositories.c.id == manifests.c.repository_id
)
_REMOVE = delete(manifests).where(*_its)


def let_go(
    connection: Connection, repository: int, digests: list[str], now: datetime, undo: timedelta
) -> None:
    """Note manifests that lost a tag, parent or subject, and have no other: they may go later."""
    for digest in digests:
        its = {"repository": repository, "manifest": digest, "at": stamp(now)}
        if connection.execute(_LOSE, its).rowcount:
            enqueue(connection, Kind.MANIFEST, repository, digest, now + undo)


def remove_manifest(
    connection: Connection,
    repository: int,
    digest: str,
    *,
    now: datetime,
    undo: timedelta,
    grace: timedelta,
) -> None:
    """Remove a manifest that no tag points to, and let go of what it named and who named it."""
    its = {"repository": repository, "manifest": digest}
    named = connection.execute(_NAMED, its).all()
    # In the order of digests always: where rows are locked, two workers then cannot cross.
    children = {row.child for row in named if row.kind == Reference.MANIFEST}
    named_blobs = {row.child for row in named if row.kind in BLOBS}
    left = sorted(children | set(connection.scalars(_REFERRERS, its)))
    size, namespace = connection.execute(_SIZE, its).one()
    connection.execute(_REMOVE, its)
    free_room(connection, namespace, size)
    loosen_links(connection, repository, sorted(named_blobs), now + grace)
    let_go(connection, repository, left, now, undo)


def remove_repository(
    connection: Connection, repository: Repository, *, now: datetime, trash_at: datetime
) -> None:
    """Remove a repository and all that is only its own; its blobs are looked at next."""
    number = repository.id
    free_room(connection, repository.namespace_id, _only_here(connection, repository))
    keys = connection.scalars(select(uploads.c.key).where(uploads.c.repository_id == number))
    drop(connection, list(keys), trash_at)
    queued = insert(reviews).from_select(
        ["kind", "repository_id", "digest", "due_at"],
        select(
            literal(str(Kind.BLOB)), literal(NO_REPOSITORY), links.c.digest, literal(stamp(now))
        ).where(links.c.repository_id == number),
    )
    connection.execute(queued.on_conflict_do_nothing())
    for table in (tags, tag_events, manifests, links, uploads, reviews):
        connection.execute(delete(table).where(table.c.repository_id == number))
    connection.execute(delete(repositories).where(repositories.c.id == number))


def _only_here(connection: Connection, repository: Repository) -> int:
    """Return how many bytes the namespace will not hold any more."""
    others = links.alias("others")
    is_elsewhere = exists().where(
        others.c.digest == links.c.digest,
        others.c.namespace_id == links.c.namespace_id,
        others.c.repository_id != links.c.repository_id,
    )
    in_blobs = select(func.coalesce(func.sum(blobs.c.size), 0)).where(
        links.c.repository_id == repository.id, links.c.digest == blobs.c.digest, ~is_elsewhere
    )
    in_manifests = select(func.coalesce(func.sum(manifests.c.size), 0)).where(
        manifests.c.repository_id == repository.id
    )
    return int(
        connection.execute(in_blobs).scalar_one() + connection.execute(in_manifests).scalar_one()
    )
