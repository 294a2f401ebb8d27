"""The records of signing keys and of leases, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, or_, select
from sqlalchemy.dialects.sqlite import insert as upsert

from nacre.hub.auth.keys import SigningKey
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.schema import leases, signing_keys
from nacre.hub.storage.sql.values import moment, stamp

_ALL = select(signing_keys).order_by(signing_keys.c.created_at.desc(), signing_keys.c.id)
_ADD = insert(signing_keys)
_FORGET = delete(signing_keys).where(
    signing_keys.c.created_at < bindparam("before"), signing_keys.c.id != bindparam("newest")
)
_lease = upsert(leases)
_ACQUIRE = _lease.on_conflict_do_update(
    index_elements=[leases.c.name],
    set_={"holder": _lease.excluded.holder, "held_until": _lease.excluded.held_until},
    where=or_(leases.c.holder == _lease.excluded.holder, leases.c.held_until <= bindparam("at")),
)
_HOLDER = select(leases.c.holder).where(leases.c.name == bindparam("lease"))
_RELEASE = delete(leases).where(
    leases.c.name == bindparam("lease"), leases.c.holder == bindparam("by")
)


class SqlKeys:
    """Meets `nacre.hub.auth.keys.SigningKeys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[SigningKey]:
        """See `SigningKeys.all`."""
        return await self._database.known("keys", _all)

    async def add_first(self, key: SigningKey) -> Sequence[SigningKey]:
        """See `SigningKeys.add_first`."""

        def change(connection: Connection) -> Sequence[SigningKey]:
            known = _all(connection)
            if not known:
                connection.execute(_ADD, _as_row(key))
            return known or (key,)

        return await self._database.write(change)

    async def add(self, key: SigningKey) -> None:
        """See `SigningKeys.add`."""
        await self._database.write(lambda connection: _add(connection, key))

    async def forget(self, before: datetime) -> None:
        """See `SigningKeys.forget`."""

        def change(connection: Connection) -> None:
            known = _all(connection)
            if known:
                terms = {"before": stamp(before), "newest": known[0].id}
                connection.execute(_FORGET, terms)

        await self._database.write(change)


def _all(connection: Connection) -> Sequence[SigningKey]:
    rows = connection.execute(_ALL).all()
    return tuple(SigningKey(row.id, row.private_pem, moment(row.created_at)) for row in rows)


def _add(connection: Connection, key: SigningKey) -> None:
    connection.execute(_ADD, _as_row(key))


def _as_row(key: SigningKey) -> dict[str, object]:
    created_at = stamp(key.created_at)
    return {"id": key.id, "private_pem": key.private_pem, "created_at": created_at}


class SqlLeases:
    """Meets `nacre.hub.jobs.queue.Leases`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """See `Leases.acquire`."""

        def change(connection: Connection) -> bool:
            lease = {"name": name, "holder": holder, "held_until": stamp(until), "at": stamp(now)}
            connection.execute(_ACQUIRE, lease)
            return connection.execute(_HOLDER, {"lease": name}).scalar() == holder

        return await self._database.write(change)

    async def release(self, name: str, holder: str) -> None:
        """See `Leases.release`."""
        its = {"lease": name, "by": holder}

        def change(connection: Connection) -> None:
            connection.execute(_RELEASE, its)

        await self._database.write(change)
