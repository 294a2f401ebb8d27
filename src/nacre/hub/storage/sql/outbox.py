"""The changes that are not in the journal yet, in SQL.

Triggers put them there (see ``migrations``); the bytes of manifests are read only when an entry is
carried away.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select

from nacre.hub.jobs.journal import Entry, Told
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.schema import (
    blobs,
    links,
    manifests,
    namespaces,
    outbox,
    repositories,
    tags,
)

_ENOUGH = 1 << 20  # bytes of manifests after which no more entries are taken at once
_ROWS = 1000  # that are read at once of most tables
_MANIFESTS = 4  # and of that whose rows may have some megabytes

_WAITING = select(outbox).order_by(outbox.c.id).limit(bindparam("most"))
_CARRIED = delete(outbox).where(outbox.c.id <= bindparam("last"))
_LAST = select(func.coalesce(func.max(outbox.c.id), 0))
_RAW = select(manifests.c.raw).where(
    repositories.c.name == bindparam("repository"),
    manifests.c.repository_id == repositories.c.id,
    manifests.c.digest == bindparam("digest"),
)


def _in_repository(*columns: Any) -> Select[Any]:
    """Return the question for columns of all rows of a table, and the names of repositories."""
    table = columns[0].table
    return select(repositories.c.name.label("repository"), *columns).where(
        table.c.repository_id == repositories.c.id
    )


_EVERYTHING: tuple[tuple[Told, Select[Any]], ...] = (
    (
        Told.NAMESPACE,
        select(namespaces.c.name, namespaces.c.visibility, namespaces.c.policy, namespaces.c.quota),
    ),
    (
        Told.REPOSITORY,
        select(repositories.c.name, repositories.c.visibility, repositories.c.policy),
    ),
    (Told.BLOB, select(blobs.c.digest, blobs.c.size, blobs.c.key)),
    (Told.LINK, _in_repository(links.c.digest)),
    (
        Told.MANIFEST,
        _in_repository(manifests.c.digest, manifests.c.media_type, manifests.c.raw),
    ),
    (Told.TAG, _in_repository(tags.c.name, tags.c.digest, tags.c.pushed_by.label("by"))),
)


class SqlOutbox:
    """Meets `nacre.hub.jobs.journal.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self, limit: int) -> Sequence[Entry]:
        """See `Outbox.waiting`."""

        def look(connection: Connection) -> list[Entry]:
            entries: list[Entry] = []
            size = 0
            for row in connection.execute(_WAITING, {"most": limit}).all():
                kind, facts = Told(row.kind), json.loads(row.facts)
                if kind is Told.MANIFEST and not facts.get("removed"):
                    facts, length = _with_bytes(connection, facts)
                    size += length
                entries.append(Entry(row.id, kind, facts))
                if size > _ENOUGH:
                    break
            return entries

        return await self._database.survey(look)

    async def carried(self, up_to: int) -> None:
        """See `Outbox.carried`."""

        def change(connection: Connection) -> None:
            connection.execute(_CARRIED, {"last": up_to})

        await self._database.write(change)

    def everything(self) -> Iterator[Entry]:
        """See `Outbox.everything`."""
        with self._database.snapshot() as connection:
            last = int(connection.execute(_LAST).scalar_one())
            for kind, statement in _EVERYTHING:
                at_once = _MANIFESTS if kind is Told.MANIFEST else _ROWS
                rows = connection.execute(statement, execution_options={"yield_per": at_once})
                for row in rows.mappings():
                    yield Entry(last, kind, _facts(dict(row)))


def _with_bytes(connection: Connection, facts: dict[str, Any]) -> tuple[dict[str, Any], int]:
    its = {"repository": facts["repository"], "digest": facts["digest"]}
    raw = connection.execute(_RAW, its).scalar()
    if raw is None:
        return its | {"removed": True}, 0
    return _facts(facts | {"raw": raw}), len(raw)


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    if "raw" in row:
        row["raw"] = b64encode(row["raw"]).decode()
    if "policy" in row:
        row["policy"] = json.loads(row["policy"])
    return row
