"""Statements of several nouns: putting things on the queue of reviews and on the trash."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam
from sqlalchemy.dialects.sqlite import insert

from nacre.hub.jobs.queue import Kind
from nacre.hub.storage.sql.schema import reviews, trash
from nacre.hub.storage.sql.values import stamp

_insert = insert(reviews)
_ENQUEUE = _insert.on_conflict_do_update(
    index_elements=[reviews.c.kind, reviews.c.repository_id, reviews.c.digest],
    set_={"due_at": _insert.excluded.due_at},
)
_DROP = insert(trash).values(key=bindparam("key"), due_at=bindparam("due_at"))
_DROP = _DROP.on_conflict_do_nothing()

NO_REPOSITORY = 0
"""Stands for the repository in entries about blobs."""

NO_DIGEST = ""
"""Stands for the digest in entries about repositories."""


def enqueue(
    connection: Connection, kind: Kind, repository: int, digest: str, due_at: datetime
) -> None:
    """Have something looked at when ``due_at`` has come; a known entry gets the new time."""
    entry = {"kind": kind, "repository_id": repository, "digest": digest, "due_at": stamp(due_at)}
    connection.execute(_ENQUEUE, entry)


def drop(connection: Connection, keys: list[str], due_at: datetime) -> None:
    """Put keys on the trash, to be deleted when ``due_at`` has come."""
    if keys:
        connection.execute(_DROP, [{"key": key, "due_at": stamp(due_at)} for key in keys])
