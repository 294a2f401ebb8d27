"""The records behind garbage collection, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, exists, select, update

from nacre.hub.jobs.queue import Collected, Kind
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.foreseeing import foresee
from nacre.hub.storage.sql.keeping import Keeping
from nacre.hub.storage.sql.links import unlink
from nacre.hub.storage.sql.queue import NO_DIGEST, drop, enqueue
from nacre.hub.storage.sql.removing import remove_manifest, remove_repository
from nacre.hub.storage.sql.repository_rows import HAS_CONTENT, REPOSITORIES, repository_of
from nacre.hub.storage.sql.schema import (
    blobs,
    links,
    manifests,
    namespaces,
    repositories,
    repository_grants,
    reviews,
    tag_events,
    trash,
    uploads,
)
from nacre.hub.storage.sql.values import EMPTY_POLICY, moment, stamp

_DUE = (
    select(reviews.c.repository_id, reviews.c.digest)
    .where(reviews.c.kind == bindparam("of"), reviews.c.due_at <= bindparam("at"))
    .order_by(reviews.c.due_at, reviews.c.digest)
    .limit(bindparam("most"))
)
_FORGET = delete(reviews).where(
    reviews.c.kind == bindparam("of"),
    reviews.c.repository_id == bindparam("repository"),
    reviews.c.digest == bindparam("about"),
)
_LOST_AT = select(manifests.c.lost_at).where(
    manifests.c.repository_id == bindparam("repository"), manifests.c.digest == bindparam("about")
)
_LINK = select(links.c.expires_at, links.c.namespace_id, blobs.c.size).where(
    links.c.repository_id == bindparam("repository"),
    links.c.digest == bindparam("about"),
    blobs.c.digest == links.c.digest,
)
_BLOB = select(blobs.c.size, blobs.c.key).where(
    blobs.c.digest == bindparam("about"), ~exists().where(links.c.digest == blobs.c.digest)
)
_REMOVE_BLOB = delete(blobs).where(blobs.c.digest == bindparam("about"))
_EMPTY = REPOSITORIES.where(
    repositories.c.id == bindparam("repository"),
    repositories.c.policy == EMPTY_POLICY,
    repositories.c.visibility == namespaces.c.visibility,
    ~HAS_CONTENT,
    *(
        ~exists().where(table.c.repository_id == repositories.c.id)
        for table in (tag_events, repository_grants)
    ),
)
_UPLOADS = select(uploads.c.id).where(uploads.c.repository_id == bindparam("repository")).limit(1)
_TRASH = (
    select(trash.c.key)
    .where(trash.c.due_at <= bindparam("at"))
    .order_by(trash.c.due_at, trash.c.key)
    .limit(bindparam("most"))
)
_FORGET_TRASH = delete(trash).where(trash.c.key == bindparam("gone"))


class SqlGarbage:
    """Meets `nacre.hub.jobs.queue.Garbage`.

    What is collected and when: see `Keeping`. A collection by hand does not cut short the time in
    which a tag can be brought back.
    """

    def __init__(self, database: Database, *, keeping: Keeping) -> None:
        self._database = database
        self._keeping = keeping

    async def review(self, kind: Kind, now: datetime, limit: int) -> tuple[int, Collected]:
        """See `Garbage.review`."""
        due = {"of": kind, "at": stamp(now), "most": limit}
        # Most of the time there is nothing to do, and then no reason to write.
        if not await self._database.read(lambda connection: connection.execute(_DUE, due).first()):
            return 0, Collected()

        def change(connection: Connection) -> tuple[int, Collected]:
            rows = connection.execute(_DUE, due).all()
            collected = Collected()
            for repository, digest in rows:
                its = {"of": kind, "repository": repository, "about": digest}
                connection.execute(_FORGET, its)
                collected += self._review(connection, kind, repository, digest, now)
            return len(rows), collected

        return await self._database.write(change)

    def _review(
        self, connection: Connection, kind: Kind, repository: int, digest: str, now: datetime
    ) -> Collected:
        if kind is Kind.MANIFEST:
            return _review_manifest(connection, repository, digest, now, self._keeping)
        if kind is Kind.LINK:
            return _review_link(connection, repository, digest, now)
        if kind is Kind.REPOSITORY:
            return _review_repository(connection, repository, now, self._keeping)
        return _review_blob(connection, digest, now + self._keeping.trash)

    async def would_collect(self, now: datetime, *, spare: timedelta = timedelta(0)) -> Collected:
        """See `Garbage.would_collect`."""
        until = now + self._keeping.grace - spare if spare else None
        return await self._database.survey(
            lambda connection: foresee(connection, now, self._keeping.undo, until)
        )

    async def hasten(self, now: datetime, *, spare: timedelta = timedelta(0)) -> None:
        """See `Garbage.hasten`.

        Whoever is told of a blob that nothing needs is told so for the grace at least: what
        expires later than that from ``spare`` ago may have been told since.
        """
        at = stamp(now)

        def change(connection: Connection) -> None:
            for column in (reviews.c.due_at, trash.c.due_at, links.c.expires_at):
                statement = update(column.table).where(column > at).values({column.name: at})
                if spare and column is trash.c.due_at:
                    continue
                if spare and column is links.c.expires_at:
                    statement = statement.where(column <= stamp(now + self._keeping.grace - spare))
                connection.execute(statement)

        await self._database.write(change)

    async def trash(self, now: datetime, limit: int) -> Sequence[str]:
        """See `Garbage.trash`."""
        due = {"at": stamp(now), "most": limit}
        return await self._database.read(lambda connection: list(connection.scalars(_TRASH, due)))

    async def forget_trash(self, keys: Sequence[str]) -> None:
        """See `Garbage.forget_trash`."""
        gone = [{"gone": key} for key in keys]

        def change(connection: Connection) -> None:
            connection.execute(_FORGET_TRASH, gone)

        if gone:
            await self._database.write(change)


def _review_manifest(
    connection: Connection, repository: int, digest: str, now: datetime, keeping: Keeping
) -> Collected:
    lost_at = connection.execute(_LOST_AT, {"repository": repository, "about": digest}).scalar()
    if lost_at is None:
        return Collected()
    until = moment(lost_at) + keeping.undo
    if until > now:
        enqueue(connection, Kind.MANIFEST, repository, digest, until)
        return Collected()
    undo, grace = keeping.undo, keeping.grace
    remove_manifest(connection, repository, digest, now=now, undo=undo, grace=grace)
    return Collected(manifests=1)


def _review_link(connection: Connection, repository: int, digest: str, now: datetime) -> Collected:
    row = connection.execute(_LINK, {"repository": repository, "about": digest}).first()
    if row is None or row.expires_at is None:
        return Collected()
    expires_at = moment(row.expires_at)
    if expires_at > now:
        enqueue(connection, Kind.LINK, repository, digest, expires_at)
        return Collected()
    unlink(connection, repository, row.namespace_id, digest, size=row.size, now=now)
    enqueue(connection, Kind.REPOSITORY, repository, NO_DIGEST, now)
    return Collected(links=1)


def _review_repository(
    connection: Connection, repository: int, now: datetime, keeping: Keeping
) -> Collected:
    its = {"repository": repository}
    row = connection.execute(_EMPTY, its).first()
    if row is not None and connection.execute(_UPLOADS, its).first() is not None:
        enqueue(connection, Kind.REPOSITORY, repository, NO_DIGEST, now + keeping.grace)
    elif row is not None:
        trash_at = now + keeping.trash
        remove_repository(connection, repository_of(row), now=now, trash_at=trash_at)
    return Collected()


def _review_blob(connection: Connection, digest: str, trash_at: datetime) -> Collected:
    row = connection.execute(_BLOB, {"about": digest}).first()
    if row is None:
        return Collected()
    # The foreign key of links would refuse it, should a repository have it after all.
    connection.execute(_REMOVE_BLOB, {"about": digest})
    drop(connection, [row.key], trash_at)
    return Collected(blobs=1, bytes=row.size)
