"""The records of manifests and referrers, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from nacre.hub.registry.manifests import Manifest, Referrer, Stored, Tag, TagEvent, Terms
from nacre.hub.storage.sql import tags as tagging
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.keeping import Keeping
from nacre.hub.storage.sql.needing import tags_needing_manifest
from nacre.hub.storage.sql.putting import put
from nacre.hub.storage.sql.removing import let_go, remove_manifest
from nacre.hub.storage.sql.schema import manifests, tags
from nacre.oci.digest import Digest

_STORED = select(manifests.c.digest, manifests.c.media_type, manifests.c.raw)
_BY_DIGEST = _STORED.where(
    manifests.c.repository_id == bindparam("repository"),
    manifests.c.digest == bindparam("manifest"),
)
_BY_TAG = _STORED.where(
    tags.c.repository_id == bindparam("repository"),
    tags.c.name == bindparam("tag"),
    manifests.c.repository_id == tags.c.repository_id,
    manifests.c.digest == tags.c.digest,
)
_REFERRERS = (
    select(
        manifests.c.digest,
        manifests.c.media_type,
        manifests.c.size,
        manifests.c.artifact_type,
        manifests.c.annotations,
    )
    .where(
        manifests.c.repository_id == bindparam("repository"),
        manifests.c.subject == bindparam("subject"),
        manifests.c.digest > bindparam("after"),
    )
    .order_by(manifests.c.digest)
    .limit(bindparam("most"))
)
_REFERRERS_OF_TYPE = _REFERRERS.where(manifests.c.artifact_type == bindparam("type"))


class SqlManifests:
    """Meets `nacre.hub.registry.manifests.Manifests`."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], keeping: Keeping
    ) -> None:
        self._database = database
        self._now = now
        self._keeping = keeping

    async def by_tag(self, repository: int, tag: str) -> Stored | None:
        """See `Manifests.by_tag`."""

        def look(connection: Connection) -> Stored | None:
            row = connection.execute(_BY_TAG, {"repository": repository, "tag": tag}).first()
            return None if row is None else Stored(Digest(row.digest), row.media_type, row.raw)

        return await self._database.known(("tag", repository, tag), look, _weight)

    async def by_digest(self, repository: int, digest: Digest) -> Stored | None:
        """See `Manifests.by_digest`."""

        def look(connection: Connection) -> Stored | None:
            its = {"repository": repository, "manifest": digest}
            row = connection.execute(_BY_DIGEST, its).first()
            return None if row is None else Stored(digest, row.media_type, row.raw)

        return await self._database.known(("manifest", repository, digest), look, _weight)

    async def put(
        self, repository: int, manifest: Manifest, *, tags: Sequence[str], terms: Terms
    ) -> None:
        """See `Manifests.put`."""

        def change(connection: Connection) -> None:
            put(
                connection,
                repository,
                manifest,
                tags=tags,
                terms=terms,
                now=self._now(),
                keeping=self._keeping,
            )

        await self._database.write(change)

    async def delete(self, repository: int, digest: Digest, *, terms: Terms) -> bool:
        """See `Manifests.delete`."""

        def change(connection: Connection) -> bool:
            its = {"repository": repository, "manifest": digest}
            if connection.execute(_BY_DIGEST, its).first() is None:
                return False
            now = self._now()
            names = tagging.pointing(connection, repository, digest)
            for name in names:
                tagging.check_movable(name, terms)
            if terms.immutable:
                needing = tags_needing_manifest(connection, repository, digest)
                tagging.check_not_needed(needing, terms.immutable)
            for name in names:
                tagging.remove(connection, repository, name, digest, by=terms.by, now=now)
            undo, grace = self._keeping.undo, self._keeping.grace
            remove_manifest(connection, repository, digest, now=now, undo=undo, grace=grace)
            return True

        return await self._database.write(change)

    async def delete_tag(
        self, repository: int, tag: str, *, terms: Terms, expected: Digest | None = None
    ) -> bool:
        """See `Manifests.delete_tag`."""

        def change(connection: Connection) -> bool:
            digest = tagging.pointed_to(connection, repository, tag)
            if digest is None or expected not in (None, digest):
                return False
            tagging.check_movable(tag, terms)
            now = self._now()
            tagging.remove(connection, repository, tag, digest, by=terms.by, now=now)
            let_go(connection, repository, [digest], now, self._keeping.undo)
            return True

        return await self._database.write(change)

    async def tags(self, repository: int, *, after: str, limit: int) -> Sequence[str]:
        """See `Manifests.tags`."""
        return await self._database.read(
            lambda connection: tagging.names(connection, repository, after, limit)
        )

    async def tag_list(self, repository: int) -> Sequence[Tag]:
        """See `Manifests.tag_list`."""
        return await self._database.survey(
            lambda connection: tagging.all_of(connection, repository)
        )

    async def history(self, repository: int, tag: str | None, limit: int) -> Sequence[TagEvent]:
        """See `Manifests.history`."""
        return await self._database.survey(
            lambda connection: tagging.history(connection, repository, tag, limit)
        )

    async def restore(self, repository: int, tag: str, digest: Digest, *, by: str) -> None:
        """See `Manifests.restore`."""

        def change(connection: Connection) -> None:
            now = self._now()
            before = tagging.restore(connection, repository, tag, digest, by=by, now=now)
            if before is not None:
                let_go(connection, repository, [before], now, self._keeping.undo)

        await self._database.write(change)

    async def referrers(
        self, repository: int, subject: Digest, *, artifact_type: str, after: str, limit: int
    ) -> Sequence[Referrer]:
        """See `Manifests.referrers`."""
        asked = {"repository": repository, "subject": subject, "after": after, "most": limit}
        statement = _REFERRERS
        if artifact_type:
            asked["type"] = artifact_type
            statement = _REFERRERS_OF_TYPE

        def look(connection: Connection) -> list[Referrer]:
            return [
                Referrer(Digest(row[0]), *row[1:]) for row in connection.execute(statement, asked)
            ]

        return await self._database.read(look)

    async def pulled(self, pulls: Sequence[tuple[int, str, datetime]]) -> None:
        """See `Manifests.pulled`."""
        if pulls:
            await self._database.write(lambda connection: tagging.pulled(connection, pulls))


def _weight(stored: Stored | None) -> int:
    return 0 if stored is None else len(stored.raw)
