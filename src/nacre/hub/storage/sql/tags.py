"""Statements about tags and their history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from nacre.hub.errors import ManifestUnknown, TagImmutable
from nacre.hub.registry.manifests import Tag, TagChange, TagEvent, Terms
from nacre.hub.repositories.policy import Policy
from nacre.hub.storage.sql.needing import need
from nacre.hub.storage.sql.schema import manifests, tag_events, tags
from nacre.hub.storage.sql.values import maybe_moment, moment, stamp
from nacre.oci.digest import Digest

_one = (tags.c.repository_id == bindparam("repository"), tags.c.name == bindparam("tag"))
_POINTED_TO = select(tags.c.digest).where(*_one)
_POINTING = (
    select(tags.c.name)
    .where(tags.c.repository_id == bindparam("repository"), tags.c.digest == bindparam("manifest"))
    .order_by(tags.c.name)
)
_REMOVE = delete(tags).where(*_one)
_point = upsert(tags)
_POINT = _point.on_conflict_do_update(
    index_elements=[tags.c.repository_id, tags.c.name],
    set_={
        "digest": _point.excluded.digest,
        "pushed_at": _point.excluded.pushed_at,
        "pushed_by": _point.excluded.pushed_by,
    },
)
_PUSHED_AGAIN = update(tags).where(*_one).values(pushed_at=bindparam("at"))
_NOTE = insert(tag_events)
_NAMES = (
    select(tags.c.name)
    .where(tags.c.repository_id == bindparam("repository"), tags.c.name > bindparam("after"))
    .order_by(tags.c.name)
    .limit(bindparam("most"))
)
_ALL = (
    select(tags)
    .where(tags.c.repository_id == bindparam("repository"))
    .order_by(tags.c.pushed_at.desc(), tags.c.name)
)
_HISTORY = (
    select(tag_events)
    .where(tag_events.c.repository_id == bindparam("repository"))
    .order_by(tag_events.c.id.desc())
    .limit(bindparam("most"))
)
_HISTORY_OF_ONE = _HISTORY.where(tag_events.c.tag == bindparam("tag"))
_ONCE = (
    select(tag_events.c.id)
    .where(
        tag_events.c.repository_id == bindparam("repository"),
        tag_events.c.tag == bindparam("tag"),
        tag_events.c.after == bindparam("manifest"),
    )
    .limit(1)
)
_EXISTS = select(manifests.c.digest).where(
    manifests.c.repository_id == bindparam("repository"),
    manifests.c.digest == bindparam("manifest"),
)
_PULLED = (
    update(tags)
    .where(*_one, or_(tags.c.pulled_at.is_(None), tags.c.pulled_at < bindparam("at")))
    .values(pulled_at=bindparam("at"))
)


def check_movable(tag: str, terms: Terms) -> None:
    """Return if a tag may be moved or deleted.

    Raises:
        TagImmutable: it may not.
    """
    if Policy(immutable=terms.immutable).keeps_still(tag):
        raise TagImmutable(f"the tag {tag} may be neither moved nor deleted")


def check_not_needed(needing: Sequence[str], immutable: str) -> None:
    """Return if what these tags need may be deleted.

    Raises:
        TagImmutable: it may not: one of them matches the pattern ``immutable``.
    """
    policy = Policy(immutable=immutable)
    for tag in needing:
        if policy.keeps_still(tag):
            raise TagImmutable(f"the tag {tag} needs it and may not be changed")


def pointed_to(connection: Connection, repository: int, tag: str) -> Digest | None:
    """Return the manifest that a tag points to."""
    digest = connection.execute(_POINTED_TO, {"repository": repository, "tag": tag}).scalar()
    return None if digest is None else Digest(digest)


def pointing(connection: Connection, repository: int, digest: str) -> list[str]:
    """Return the tags that point to a manifest, in ASCII order."""
    return list(connection.scalars(_POINTING, {"repository": repository, "manifest": digest}))


def point(
    connection: Connection,
    repository: int,
    tag: str,
    digest: Digest,
    *,
    by: str,
    now: datetime,
    change: TagChange | None = None,
) -> Digest | None:
    """Let a tag point to a manifest and return the one it pointed to before, if another."""
    before = pointed_to(connection, repository, tag)
    if before == digest:
        its = {"repository": repository, "tag": tag}
        connection.execute(_PUSHED_AGAIN, its | {"at": stamp(now)})
        return None
    values = {"repository_id": repository, "name": tag, "digest": digest, "pushed_by": by}
    connection.execute(_POINT, values | {"pushed_at": stamp(now), "pulled_at": None})
    need(connection, repository, [digest])
    change = change or (TagChange.CREATED if before is None else TagChange.MOVED)
    _note(connection, repository, tag, change, before=before, after=digest, by=by, now=now)
    return before


def _note(
    connection: Connection,
    repository: int,
    tag: str,
    change: TagChange,
    *,
    before: str | None,
    after: str | None,
    by: str,
    now: datetime,
) -> None:
    event = {"repository_id": repository, "tag": tag, "change": change, "at": stamp(now)}
    connection.execute(_NOTE, event | {"before": before, "after": after, "by": by})


def remove(
    connection: Connection, repository: int, tag: str, digest: str, *, by: str, now: datetime
) -> None:
    """Remove a tag that points to a manifest."""
    connection.execute(_REMOVE, {"repository": repository, "tag": tag})
    _note(connection, repository, tag, TagChange.DELETED, before=digest, after=None, by=by, now=now)


def restore(
    connection: Connection, repository: int, tag: str, digest: Digest, *, by: str, now: datetime
) -> Digest | None:
    """Let a tag point again to what it once pointed to; see `point`.

    Raises:
        ManifestUnknown: the manifest is gone, or the tag never pointed to it.
    """
    its = {"repository": repository, "manifest": digest}
    if connection.execute(_EXISTS, its).first() is None:
        raise ManifestUnknown(f"the manifest {digest} is gone for good")
    if connection.execute(_ONCE, its | {"tag": tag}).first() is None:
        raise ManifestUnknown(f"the tag {tag} never pointed to {digest}")
    restored = TagChange.RESTORED
    return point(connection, repository, tag, digest, by=by, now=now, change=restored)


def names(connection: Connection, repository: int, after: str, limit: int) -> list[str]:
    """Return the names of tags in ASCII order, those after ``after``."""
    asked = {"repository": repository, "after": after, "most": limit}
    return list(connection.scalars(_NAMES, asked))


def all_of(connection: Connection, repository: int) -> list[Tag]:
    """Return all tags, the latest pushed first."""
    return [
        Tag(
            row.name,
            Digest(row.digest),
            moment(row.pushed_at),
            maybe_moment(row.pulled_at),
            row.pushed_by,
        )
        for row in connection.execute(_ALL, {"repository": repository})
    ]


def history(connection: Connection, repository: int, tag: str | None, limit: int) -> list[TagEvent]:
    """Return what happened to a tag, or to all, the latest first."""
    asked: dict[str, object] = {"repository": repository, "most": limit}
    statement = _HISTORY
    if tag is not None:
        asked["tag"] = tag
        statement = _HISTORY_OF_ONE
    return [
        TagEvent(
            row.id,
            row.tag,
            TagChange(row.change),
            None if row.before is None else Digest(row.before),
            None if row.after is None else Digest(row.after),
            row.by,
            moment(row.at),
        )
        for row in connection.execute(statement, asked)
    ]


def pulled(connection: Connection, pulls: Sequence[tuple[int, str, datetime]]) -> None:
    """Note when tags were pulled."""
    rows = [{"repository": each[0], "tag": each[1], "at": stamp(each[2])} for each in pulls]
    connection.execute(_PULLED, rows)
