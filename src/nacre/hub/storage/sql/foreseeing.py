"""What a collection by hand would remove, worked out without changing anything.

Follows the same rules as reviewing does, over one state of the records: what is removed is noted
in sets, and questions leave out what is noted.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select

from nacre.hub.jobs.queue import Collected, Kind
from nacre.hub.registry.manifests import Reference
from nacre.hub.storage.sql.links import BLOBS
from nacre.hub.storage.sql.schema import (
    blobs,
    links,
    manifest_references,
    manifests,
    reviews,
    tags,
)
from nacre.hub.storage.sql.values import stamp

_Place = tuple[int, str]  # a repository and a digest in it

_references = manifest_references.c
_LOST = select(manifests.c.repository_id, manifests.c.digest).where(
    reviews.c.kind == Kind.MANIFEST,
    reviews.c.repository_id == manifests.c.repository_id,
    reviews.c.digest == manifests.c.digest,
    manifests.c.lost_at <= bindparam("before"),
)
_NAMED = select(_references.child, _references.kind).where(
    _references.repository_id == bindparam("repository"),
    _references.parent == bindparam("digest"),
)
_PARENTS = select(_references.parent, _references.kind).where(
    _references.repository_id == bindparam("repository"),
    _references.child == bindparam("digest"),
)
_MANIFEST = select(manifests.c.subject).where(
    manifests.c.repository_id == bindparam("repository"), manifests.c.digest == bindparam("digest")
)
_REFERRERS = select(manifests.c.digest).where(
    manifests.c.repository_id == bindparam("repository"), manifests.c.subject == bindparam("digest")
)
_TAGGED = (
    select(tags.c.name)
    .where(tags.c.repository_id == bindparam("repository"), tags.c.digest == bindparam("digest"))
    .limit(1)
)
_EXPIRING = select(links.c.repository_id, links.c.digest).where(links.c.expires_at.is_not(None))
_LINKED = select(links.c.repository_id).where(links.c.digest == bindparam("digest"))
_QUEUED_BLOBS = select(reviews.c.digest).where(reviews.c.kind == Kind.BLOB)
_SIZE = select(blobs.c.size).where(blobs.c.digest == bindparam("digest"))


def foresee(
    connection: Connection, now: datetime, undo: timedelta, until: datetime | None
) -> Collected:
    """Return what would be removed if everything on the queue were due.

    With ``until``, links that expire later stay, those too that manifests let go of meanwhile.
    """
    gone = _gone_manifests(connection, now, undo)
    unlinked = _expiring_links(connection, until)
    if until is None:
        unlinked |= _freed_links(connection, gone)
    suspects = {digest for _, digest in unlinked} | set(connection.scalars(_QUEUED_BLOBS))
    sizes: list[int] = []
    for digest in suspects:
        having = connection.scalars(_LINKED, {"digest": digest})
        if all((repository, digest) in unlinked for repository in having):
            sizes += connection.scalars(_SIZE, {"digest": digest}).all()
    return Collected(len(gone), len(unlinked), len(sizes), sum(sizes))


def _gone_manifests(connection: Connection, now: datetime, undo: timedelta) -> set[_Place]:
    rows = connection.execute(_LOST, {"before": stamp(now - undo)}).all()
    waiting: list[_Place] = [(row.repository_id, row.digest) for row in rows]
    gone = set(waiting)
    # What those let go of is kept for as long again, unless nothing is kept at all.
    while waiting and not undo:
        repository, digest = waiting.pop()
        for left in _left_by(connection, repository, digest):
            place = (repository, left)
            if place not in gone and _is_free(connection, repository, left, gone):
                gone.add(place)
                waiting.append(place)
    return gone


def _left_by(connection: Connection, repository: int, digest: str) -> set[str]:
    """Return the children and referrers of a manifest."""
    its = {"repository": repository, "digest": digest}
    named = connection.execute(_NAMED, its).all()
    children = {row.child for row in named if row.kind == Reference.MANIFEST}
    return children | set(connection.scalars(_REFERRERS, its))


def _is_free(connection: Connection, repository: int, digest: str, gone: set[_Place]) -> bool:
    """Say whether a manifest is here and would have no tag, parent and subject."""
    its = {"repository": repository, "digest": digest}
    row = connection.execute(_MANIFEST, its).first()
    if row is None or connection.execute(_TAGGED, its).first() is not None:
        return False
    parents = connection.execute(_PARENTS, its).all()
    if any(
        kind == Reference.MANIFEST and (repository, parent) not in gone for parent, kind in parents
    ):
        return False
    subject = {"repository": repository, "digest": row.subject}
    is_here = connection.execute(_MANIFEST, subject).first() is not None
    return not is_here or (repository, row.subject) in gone


def _expiring_links(connection: Connection, until: datetime | None) -> set[_Place]:
    asked = _EXPIRING if until is None else _EXPIRING.where(links.c.expires_at <= stamp(until))
    return {(row.repository_id, row.digest) for row in connection.execute(asked)}


def _freed_links(connection: Connection, gone: set[_Place]) -> set[_Place]:
    freed: set[_Place] = set()
    for repository, digest in gone:
        rows = connection.execute(_NAMED, {"repository": repository, "digest": digest}).all()
        for child in {row.child for row in rows if row.kind in BLOBS}:
            its = {"repository": repository, "digest": child}
            parents = connection.execute(_PARENTS, its).all()
            is_needed = any((repository, row.parent) not in gone for row in parents)
            is_linked = repository in connection.scalars(_LINKED, {"digest": child}).all()
            if is_linked and not is_needed:
                freed.add((repository, child))
    return freed
