"""Statements of several nouns: links between repositories and blobs, and the bytes they count.

A namespace counts a blob with the first link that one of its repositories has to it, until the
last is gone, in the transaction that makes or removes the link: the sum is exact always. Taking
room is one UPDATE of the namespace's row, which PostgreSQL would lock: there, the question
whether a blob counts already has to be asked after that row is locked.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, exists, insert, null, or_, select, update

from nacre.hub.errors import NameUnknown
from nacre.hub.jobs.queue import Kind
from nacre.hub.registry.manifests import Reference
from nacre.hub.registry.uploads import Room
from nacre.hub.storage.sql.queue import NO_REPOSITORY, enqueue
from nacre.hub.storage.sql.schema import links, manifest_references, namespaces, repositories
from nacre.hub.storage.sql.values import moment, stamp

BLOBS = (Reference.BLOB, Reference.FOREIGN)
"""How manifests name blobs; a foreign one that is here all the same stays, too."""

_NAMESPACE = select(repositories.c.namespace_id).where(repositories.c.id == bindparam("repository"))
_ROOM = (
    update(namespaces)
    .where(
        namespaces.c.id == bindparam("namespace"),
        or_(
            namespaces.c.quota.is_(None),
            namespaces.c.used + bindparam("size") <= namespaces.c.quota,
        ),
    )
    .values(used=namespaces.c.used + bindparam("size"))
)
_FREE = (
    update(namespaces)
    .where(namespaces.c.id == bindparam("namespace"))
    .values(used=namespaces.c.used - bindparam("size"))
)
_FULL = select(namespaces.c.name, namespaces.c.quota, namespaces.c.used).where(
    namespaces.c.id == bindparam("namespace")
)
_COUNTS = (
    select(links.c.digest)
    .where(links.c.digest == bindparam("blob"), links.c.namespace_id == bindparam("namespace"))
    .limit(1)
)
_its = (links.c.repository_id == bindparam("repository"), links.c.digest == bindparam("blob"))
_EXPIRY = select(links.c.expires_at).where(*_its)
_RENEW = update(links).where(*_its, links.c.expires_at < bindparam("until"))
_RENEW = _RENEW.values(expires_at=bindparam("until"))
_SETTLE = update(links).where(*_its).values(expires_at=null())
_LINK = insert(links)
_UNLINK = delete(links).where(*_its)
_needed = exists().where(
    manifest_references.c.repository_id == bindparam("repository"),
    manifest_references.c.child == bindparam("blob"),
    manifest_references.c.kind.in_(BLOBS),
)
_NEEDED = select(_needed)
_LOSE = (
    update(links)
    .where(*_its, links.c.expires_at.is_(None), ~_needed)
    .values(expires_at=bindparam("until"))
)


def namespace_of(connection: Connection, repository: int) -> int:
    """Return the namespace of a repository that something is to be written to.

    Raises:
        NameUnknown: it was removed.
    """
    found = connection.execute(_NAMESPACE, {"repository": repository}).scalar()
    if found is None:
        raise NameUnknown("the repository was removed")
    return int(found)


def take_room(connection: Connection, namespace: int, size: int) -> None:
    """Count ``size`` more bytes for a namespace.

    Raises:
        QuotaExceeded: it may not hold so many; nothing was changed.
    """
    if not size:
        return
    if connection.execute(_ROOM, {"namespace": namespace, "size": size}).rowcount == 0:
        Room(*connection.execute(_FULL, {"namespace": namespace}).one()).check(size)


def free_room(connection: Connection, namespace: int, size: int) -> None:
    """Count ``size`` bytes less for a namespace."""
    connection.execute(_FREE, {"namespace": namespace, "size": size})


def link(
    connection: Connection,
    repository: int,
    namespace: int,
    digest: str,
    *,
    size: int,
    until: datetime,
) -> datetime | None:
    """Let a repository have a blob until ``until`` at least; return when that expires, if ever.

    Raises:
        QuotaExceeded: the namespace has no room for it; nothing was changed.
    """
    its = {"repository": repository, "blob": digest}
    held = connection.execute(_EXPIRY, its).first()
    if held is not None:
        return _renewed(connection, its, held[0], until)
    if connection.execute(_COUNTS, {"blob": digest, "namespace": namespace}).first() is None:
        take_room(connection, namespace, size)
    expires_at = None if connection.execute(_NEEDED, its).scalar() else until
    connection.execute(
        _LINK,
        {
            "repository_id": repository,
            "digest": digest,
            "namespace_id": namespace,
            "expires_at": None if expires_at is None else stamp(expires_at),
        },
    )
    if expires_at is not None:
        enqueue(connection, Kind.LINK, repository, digest, expires_at)
    return expires_at


def _renewed(
    connection: Connection, its: dict[str, object], expires_at: int | None, until: datetime
) -> datetime | None:
    if expires_at is None:
        return None
    # Its entry on the queue may stay: whoever looks too early, looks again later.
    connection.execute(_RENEW, its | {"until": stamp(until)})
    return max(moment(expires_at), until)


def unlink(
    connection: Connection,
    repository: int,
    namespace: int,
    digest: str,
    *,
    size: int,
    now: datetime,
) -> None:
    """Take a blob from a repository that has it."""
    connection.execute(_UNLINK, {"repository": repository, "blob": digest})
    if connection.execute(_COUNTS, {"blob": digest, "namespace": namespace}).first() is None:
        free_room(connection, namespace, size)
    enqueue(connection, Kind.BLOB, NO_REPOSITORY, digest, now)


def settle_links(connection: Connection, repository: int, digests: list[str]) -> None:
    """Let links stay that a manifest names now."""
    if digests:
        its = [{"repository": repository, "blob": digest} for digest in digests]
        connection.execute(_SETTLE, its)


def loosen_links(
    connection: Connection, repository: int, digests: list[str], until: datetime
) -> None:
    """Give links that no manifest names any more until ``until``."""
    for digest in digests:
        its = {"repository": repository, "blob": digest, "until": stamp(until)}
        if connection.execute(_LOSE, its).rowcount:
            enqueue(connection, Kind.LINK, repository, digest, until)
