"""The records of everything, page by page, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    union_all,
)

from nacre.hub.jobs.inventory import Held, Recorded
from nacre.hub.registry.manifests import Manifest, Reference
from nacre.hub.repositories.repository import Repository
from nacre.hub.storage.sql.database import Database
from nacre.hub.storage.sql.keeping import Keeping
from nacre.hub.storage.sql.links import BLOBS, settle_links, unlink
from nacre.hub.storage.sql.needing import need
from nacre.hub.storage.sql.portions import portions
from nacre.hub.storage.sql.queue import drop
from nacre.hub.storage.sql.repository_rows import REPOSITORIES, repository_of
from nacre.hub.storage.sql.schema import (
    blobs,
    links,
    manifest_references,
    manifests,
    repositories,
    trash,
    uploads,
)
from nacre.oci.digest import Digest

_REPOSITORIES = (
    REPOSITORIES.where(repositories.c.name > bindparam("after"))
    .order_by(repositories.c.name)
    .limit(bindparam("most"))
)
_BLOB = select(blobs.c.digest, blobs.c.size, blobs.c.key)
_ONE_BLOB = _BLOB.where(blobs.c.digest == bindparam("about"))
_BLOBS = (
    _BLOB.where(blobs.c.digest > bindparam("after"))
    .order_by(blobs.c.digest)
    .limit(bindparam("most"))
)
_MANIFESTS = (
    select(
        manifests.c.repository_id,
        repositories.c.name,
        manifests.c.digest,
        manifests.c.media_type,
        manifests.c.raw,
    )
    .where(
        manifests.c.repository_id == repositories.c.id,
        or_(
            manifests.c.repository_id > bindparam("repository"),
            and_(
                manifests.c.repository_id == bindparam("repository"),
                manifests.c.digest > bindparam("after"),
            ),
        ),
    )
    .order_by(manifests.c.repository_id, manifests.c.digest)
    .limit(bindparam("most"))
)
_references = manifest_references.c
_children = manifests.alias("children")
_named = (
    _references.repository_id == bindparam("repository"),
    _references.parent == bindparam("about"),
)
_NAMED = select(
    _references.child,
    _references.kind,
    links.c.digest.label("linked"),
    links.c.expires_at,
    exists()
    .where(
        _children.c.repository_id == _references.repository_id,
        _children.c.digest == _references.child,
    )
    .label("is_manifest"),
).select_from(
    manifest_references.outerjoin(
        links,
        and_(
            links.c.repository_id == _references.repository_id, links.c.digest == _references.child
        ),
    )
)
_NAMED = _NAMED.where(*_named)
_asked: BindParameter[list[str]] = bindparam("keys", expanding=True)
_KNOWN = union_all(
    *(select(table.c.key).where(table.c.key.in_(_asked)) for table in (blobs, uploads, trash))
)
_LINKS = select(links.c.repository_id, links.c.namespace_id).where(
    links.c.digest == bindparam("about")
)
_FORGET = delete(blobs).where(blobs.c.digest == bindparam("about"))
_THERE = select(manifests.c.digest).where(
    manifests.c.repository_id == bindparam("repository"), manifests.c.digest == bindparam("about")
)
_UNREFER = delete(manifest_references).where(*_named)
_REFER = insert(manifest_references)


class SqlInventory:
    """Meets `nacre.hub.jobs.inventory.Inventory`."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], keeping: Keeping
    ) -> None:
        self._database = database
        self._now = now
        self._keeping = keeping

    async def repositories(self, *, after: str, limit: int) -> Sequence[Repository]:
        """See `Inventory.repositories`."""
        asked = {"after": after, "most": limit}
        return await self._database.survey(
            lambda connection: [
                repository_of(row) for row in connection.execute(_REPOSITORIES, asked)
            ]
        )

    async def blobs(self, *, after: str, limit: int) -> Sequence[Recorded]:
        """See `Inventory.blobs`."""
        asked = {"after": after, "most": limit}
        return await self._database.survey(
            lambda connection: [_recorded(row) for row in connection.execute(_BLOBS, asked)]
        )

    async def blob(self, digest: Digest) -> Recorded | None:
        """See `Inventory.blob`."""

        def look(connection: Connection) -> Recorded | None:
            row = connection.execute(_ONE_BLOB, {"about": digest}).first()
            return None if row is None else _recorded(row)

        return await self._database.read(look)

    async def manifests(self, *, after: tuple[int, str], limit: int) -> Sequence[Held]:
        """See `Inventory.manifests`."""
        asked = {"repository": after[0], "after": after[1], "most": limit}
        return await self._database.survey(
            lambda connection: [
                _held(connection, row) for row in connection.execute(_MANIFESTS, asked).all()
            ]
        )

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """See `Inventory.known`."""
        asked = list(keys)

        def look(connection: Connection) -> frozenset[str]:
            found: set[str] = set()
            for part in portions(asked):
                found.update(connection.scalars(_KNOWN, {"keys": part}))
            return frozenset(found)

        return await self._database.survey(look)

    async def forget_lost(self, digest: Digest, key: str) -> bool:
        """See `Inventory.forget_lost`."""

        def change(connection: Connection) -> bool:
            row = connection.execute(_ONE_BLOB, {"about": digest}).first()
            if row is None or row.key != key:
                return False
            now = self._now()
            for repository, namespace in connection.execute(_LINKS, {"about": digest}).all():
                unlink(connection, repository, namespace, digest, size=row.size, now=now)
            connection.execute(_FORGET, {"about": digest})
            drop(connection, [key], now + self._keeping.trash)
            return True

        return await self._database.write(change)

    async def mend(self, repository: int, manifest: Manifest) -> bool:
        """See `Inventory.mend`."""

        def change(connection: Connection) -> bool:
            its = {"repository": repository, "about": manifest.digest}
            if connection.execute(_THERE, its).first() is None:
                return False
            connection.execute(_UNREFER, its)
            named = sorted({(each.digest, kind) for each, kind in manifest.references})
            place = {"repository_id": repository, "parent": manifest.digest}
            if named:
                rows = [place | {"child": child, "kind": kind} for child, kind in named]
                connection.execute(_REFER, rows)
            settle_links(connection, repository, [child for child, kind in named if kind in BLOBS])
            children = [child for child, kind in named if kind is Reference.MANIFEST]
            need(connection, repository, children)
            return True

        return await self._database.write(change)


def _recorded(row: Row[*tuple[Any, ...]]) -> Recorded:
    return Recorded(Digest(row.digest), row.size, row.key)


def _held(connection: Connection, row: Row[*tuple[Any, ...]]) -> Held:
    its = {"repository": row.repository_id, "about": row.digest}
    named: set[tuple[Digest, Reference]] = set()
    loose: set[Digest] = set()
    missing: set[Digest] = set()
    for each in connection.execute(_NAMED, its):
        child, kind = Digest(each.child), Reference(each.kind)
        named.add((child, kind))
        if kind in BLOBS and each.expires_at is not None:
            loose.add(child)
        is_here = each.is_manifest if kind is Reference.MANIFEST else each.linked is not None
        if kind is not Reference.FOREIGN and not is_here:
            missing.add(child)
    return Held(
        row.repository_id,
        row.name,
        Digest(row.digest),
        row.media_type,
        row.raw,
        frozenset(named),
        frozenset(loose),
        frozenset(missing),
    )
