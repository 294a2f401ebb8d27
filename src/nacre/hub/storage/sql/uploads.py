"""The records of uploads, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from nacre.hub.errors import BlobUploadUnknown, Busy, QuotaExceeded
from nacre.hub.registry.blobs import Blob
from nacre.hub.registry.uploads import Known, Room, Upload
from nacre.hub.storage.sql.blobs import find
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.keeping import Keeping
from nacre.hub.storage.sql.links import link, namespace_of
from nacre.hub.storage.sql.queue import drop
from nacre.hub.storage.sql.schema import blobs, namespaces, repositories, uploads
from nacre.hub.storage.sql.values import moment, stamp
from nacre.oci.digest import Digest

_NOBODY = ""

_own = (
    uploads.c.id == bindparam("upload"),
    uploads.c.repository_id == bindparam("repository"),
    uploads.c.owner == bindparam("whose"),
)
_held = (
    uploads.c.id == bindparam("upload"),
    uploads.c.holder == bindparam("by"),
    uploads.c.holder != _NOBODY,
)
_START = insert(uploads)
_FIND = select(uploads).where(*_own)
_TAKE = (
    update(uploads)
    .where(
        *_own,
        or_(
            uploads.c.holder.in_([_NOBODY, bindparam("by")]),
            uploads.c.held_until.is_(None),
            uploads.c.held_until <= bindparam("at"),
        ),
    )
    .values(holder=bindparam("by"), held_until=bindparam("until"), updated_at=bindparam("at"))
)
_LEAVE = (
    update(uploads)
    .where(*_held)
    .values(
        holder=_NOBODY,
        held_until=None,
        offset=bindparam("reached"),
        digest=bindparam("hash"),
        updated_at=bindparam("at"),
    )
)
_HELD = select(uploads).where(*_held)
_END = delete(uploads).where(uploads.c.id == bindparam("upload"))
_IDLE = (
    select(uploads.c.id, uploads.c.key)
    .where(
        uploads.c.updated_at < bindparam("before"),
        or_(uploads.c.held_until.is_(None), uploads.c.held_until <= bindparam("at")),
    )
    .order_by(uploads.c.updated_at)
    .limit(bindparam("most"))
)
_ADD_BLOB = insert(blobs).on_conflict_do_nothing(index_elements=[blobs.c.digest])
_BLOB = select(blobs.c.size, blobs.c.key).where(blobs.c.digest == bindparam("blob"))
_MOVE_BLOB = update(blobs).where(blobs.c.digest == bindparam("blob")).values(key=bindparam("moved"))

_ROOM = select(namespaces.c.name, namespaces.c.quota, namespaces.c.used).where(
    repositories.c.id == bindparam("repository"),
    repositories.c.namespace_id == namespaces.c.id,
    namespaces.c.quota.is_not(None),
)


class SqlUploads:
    """Meets `nacre.hub.registry.uploads.Uploads`."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], keeping: Keeping
    ) -> None:
        self._database = database
        self._now = now
        self._keeping = keeping

    async def start(self, upload: Upload) -> None:
        """See `Uploads.start`."""

        def change(connection: Connection) -> None:
            namespace_of(connection, upload.repository)
            connection.execute(_START, _as_row(upload))

        await self._database.write(change)

    async def find(self, upload: str, *, repository: int, owner: str) -> Upload:
        """See `Uploads.find`."""
        whose = {"upload": upload, "repository": repository, "whose": owner}
        return await self._database.read(lambda connection: _found(connection, whose))

    async def take(
        self, upload: str, *, repository: int, owner: str, holder: str, until: datetime
    ) -> Upload:
        """See `Uploads.take`."""
        whose = {"upload": upload, "repository": repository, "whose": owner}

        def change(connection: Connection) -> Upload:
            terms = {"by": holder, "until": stamp(until), "at": stamp(self._now())}
            is_taken = connection.execute(_TAKE, whose | terms).rowcount > 0
            found = _found(connection, whose)
            if not is_taken:
                raise Busy(f"another request writes to the upload {upload}")
            return found

        return await self._database.write(change)

    async def leave(self, upload: str, *, holder: str, offset: int, digest: Digest | None) -> None:
        """See `Uploads.leave`."""

        def change(connection: Connection) -> None:
            how = {"reached": offset, "hash": digest, "at": stamp(self._now())}
            its = {"upload": upload, "by": holder}
            if connection.execute(_LEAVE, its | how).rowcount == 0:
                raise _unknown(upload)

        await self._database.write(change)

    async def room(self, repository: int) -> Room | None:
        """See `Uploads.room`."""

        def look(connection: Connection) -> Room | None:
            row = connection.execute(_ROOM, {"repository": repository}).first()
            return None if row is None else Room(row.name, row.quota, row.used)

        return await self._database.read(look)

    async def known(self, digest: Digest) -> Known | None:
        """See `Uploads.known`."""

        def look(connection: Connection) -> Known | None:
            row = connection.execute(_BLOB, {"blob": digest}).first()
            return None if row is None else Known(row.key, row.size)

        return await self._database.read(look)

    async def finish(
        self,
        upload: str,
        *,
        holder: str,
        digest: Digest,
        size: int,
        until: datetime,
        lost: str | None = None,
    ) -> Blob:
        """See `Uploads.finish`."""

        def change(connection: Connection) -> Blob | QuotaExceeded:
            row = connection.execute(_HELD, {"upload": upload, "by": holder}).first()
            if row is None:
                raise _unknown(upload)
            try:
                with connection.begin_nested():
                    return self._finished(
                        connection, row, digest=digest, size=size, until=until, lost=lost
                    )
            except QuotaExceeded as error:
                # That the upload ends is part of the answer, so it must not be undone.
                self._end(connection, [row])
                return error

        outcome = await self._database.write(change)
        if isinstance(outcome, QuotaExceeded):
            raise outcome
        return outcome

    def _finished(
        self,
        connection: Connection,
        row: Row[*tuple[Any, ...]],
        *,
        digest: Digest,
        size: int,
        until: datetime,
        lost: str | None,
    ) -> Blob:
        """Make the blob and the link.

        Raises:
            QuotaExceeded: there is no room.
        """
        namespace = namespace_of(connection, row.repository_id)
        known = connection.execute(_BLOB, {"blob": digest}).first()
        left: list[str] = []
        if known is None:
            now = stamp(self._now())
            values = {"digest": digest, "size": size, "key": row.key, "created_at": now}
            connection.execute(_ADD_BLOB, values)
        elif known.key == lost:
            connection.execute(_MOVE_BLOB, {"blob": digest, "moved": row.key})
            left = [known.key]
        else:
            left = [row.key]
        link(connection, row.repository_id, namespace, digest, size=size, until=until)
        connection.execute(_END, {"upload": row.id})
        drop(connection, left, self._now() + self._keeping.trash)
        blob = find(connection, row.repository_id, digest)
        if blob is None:
            raise _unknown(row.id)
        return blob

    async def cancel(self, upload: str, *, repository: int, owner: str) -> None:
        """See `Uploads.cancel`."""
        whose = {"upload": upload, "repository": repository, "whose": owner}

        def change(connection: Connection) -> None:
            row = connection.execute(_FIND, whose).first()
            if row is None:
                raise _unknown(upload)
            self._end(connection, [row])

        await self._database.write(change)

    async def cancel_idle(self, before: datetime, limit: int) -> Sequence[str]:
        """See `Uploads.cancel_idle`."""

        def change(connection: Connection) -> list[str]:
            terms = {"before": stamp(before), "at": stamp(self._now()), "most": limit}
            rows = connection.execute(_IDLE, terms).all()
            self._end(connection, rows)
            return [row.id for row in rows]

        return await self._database.write(change)

    def _end(self, connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> None:
        for row in rows:
            connection.execute(_END, {"upload": row.id})
        drop(connection, [row.key for row in rows], self._now() + self._keeping.trash)


def _unknown(upload: str) -> BlobUploadUnknown:
    return BlobUploadUnknown(f"there is no upload {upload}")


def _found(connection: Connection, whose: dict[str, object]) -> Upload:
    row = connection.execute(_FIND, whose).first()
    if row is None:
        raise _unknown(str(whose["upload"]))
    return Upload(
        id=row.id,
        repository=row.repository_id,
        owner=row.owner,
        key=row.key,
        offset=row.offset,
        algorithm=row.algorithm,
        digest=None if row.digest is None else Digest(row.digest),
        updated_at=moment(row.updated_at),
    )


def _as_row(upload: Upload) -> dict[str, object]:
    return {
        "id": upload.id,
        "repository_id": upload.repository,
        "owner": upload.owner,
        "key": upload.key,
        "offset": upload.offset,
        "algorithm": upload.algorithm,
        "digest": upload.digest,
        "holder": _NOBODY,
        "held_until": None,
        "updated_at": stamp(upload.updated_at),
    }
