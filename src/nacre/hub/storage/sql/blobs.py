"""The records of blobs and links, in SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from nacre.hub.registry.blobs import Blob
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.links import link, namespace_of, unlink
from nacre.hub.storage.sql.needing import tags_needing_blob
from nacre.hub.storage.sql.portions import portions
from nacre.hub.storage.sql.schema import blobs, links
from nacre.hub.storage.sql.tags import check_not_needed
from nacre.hub.storage.sql.values import maybe_moment, stamp
from nacre.oci.digest import Digest

_FIND = (
    select(blobs.c.size, blobs.c.key, links.c.expires_at, links.c.namespace_id)
    .join_from(links, blobs, links.c.digest == blobs.c.digest)
    .where(links.c.repository_id == bindparam("repository"), links.c.digest == bindparam("blob"))
)
_PROMISE = (
    update(links)
    .where(
        links.c.repository_id == bindparam("repository"),
        links.c.digest == bindparam("blob"),
        links.c.expires_at < bindparam("until"),
    )
    .values(expires_at=bindparam("until"))
)
_ANYWHERE = select(links.c.digest).where(links.c.digest == bindparam("blob")).limit(1)
_AMONG = _ANYWHERE.where(links.c.repository_id.in_(bindparam("sources", expanding=True)))
_SIZE = select(blobs.c.size).where(blobs.c.digest == bindparam("blob"))


class SqlBlobs:
    """Meets `nacre.hub.registry.blobs.Blobs`."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def find(self, repository: int, digest: Digest) -> Blob | None:
        """See `Blobs.find`."""
        return await self._database.known(
            ("blob", repository, digest), lambda connection: find(connection, repository, digest)
        )

    async def promise(self, repository: int, digest: Digest, until: datetime) -> bool:
        """See `Blobs.promise`."""
        found = await self.find(repository, digest)
        if found is None:
            return False
        if found.expires_at is None or found.expires_at >= until:
            return True

        def change(connection: Connection) -> bool:
            its = {"repository": repository, "blob": digest}
            connection.execute(_PROMISE, its | {"until": stamp(until)})
            return connection.execute(_FIND, its).first() is not None

        return await self._database.write(change)

    async def mount(
        self, repository: int, digest: Digest, *, sources: frozenset[int] | None, until: datetime
    ) -> Blob | None:
        """See `Blobs.mount`."""

        def change(connection: Connection) -> Blob | None:
            namespace = namespace_of(connection, repository)
            if find(connection, repository, digest) is None and not _has(
                connection, digest, sources
            ):
                return None
            size = connection.execute(_SIZE, {"blob": digest}).scalar_one()
            link(connection, repository, namespace, digest, size=size, until=until)
            return find(connection, repository, digest)

        return await self._database.write(change)

    async def unlink(self, repository: int, digest: Digest, *, immutable: str = "") -> bool:
        """See `Blobs.unlink`."""

        def change(connection: Connection) -> bool:
            its = {"repository": repository, "blob": digest}
            found = connection.execute(_FIND, its).first()
            if found is None:
                return False
            if immutable:
                check_not_needed(tags_needing_blob(connection, repository, digest), immutable)
            unlink(
                connection,
                repository,
                found.namespace_id,
                digest,
                size=found.size,
                now=self._now(),
            )
            return True

        return await self._database.write(change)


def find(connection: Connection, repository: int, digest: Digest) -> Blob | None:
    """Return the blob if the repository has it."""
    row = connection.execute(_FIND, {"repository": repository, "blob": digest}).first()
    if row is None:
        return None
    return Blob(digest, row.size, row.key, maybe_moment(row.expires_at))


def _has(connection: Connection, digest: Digest, sources: frozenset[int] | None) -> bool:
    """Say whether one of the sources, or any repository, has a blob."""
    if sources is None:
        return connection.execute(_ANYWHERE, {"blob": digest}).first() is not None
    return any(
        connection.execute(_AMONG, {"blob": digest, "sources": part}).first() is not None
        for part in portions(sorted(sources))
    )
