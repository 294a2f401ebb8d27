"""Recording a manifest, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, insert, select

from nacre.hub.errors import ManifestBlobUnknown
from nacre.hub.registry.manifests import Manifest, Reference, Terms
from nacre.hub.storage.sql import tags as tagging
from nacre.hub.storage.sql.keeping import Keeping
from nacre.hub.storage.sql.links import BLOBS, namespace_of, settle_links, take_room
from nacre.hub.storage.sql.needing import need, need_with_referrers
from nacre.hub.storage.sql.portions import portions
from nacre.hub.storage.sql.removing import let_go
from nacre.hub.storage.sql.schema import links, manifest_references, manifests
from nacre.hub.storage.sql.values import stamp
from nacre.oci.digest import Digest

_ADD = insert(manifests)
_REFER = insert(manifest_references)
_EXISTS = select(manifests.c.digest).where(
    manifests.c.repository_id == bindparam("repository"),
    manifests.c.digest == bindparam("manifest"),
)
_LINKED = select(links.c.digest).where(
    links.c.repository_id == bindparam("repository"),
    links.c.digest.in_(bindparam("digests", expanding=True)),
)
_PRESENT = select(manifests.c.digest).where(
    manifests.c.repository_id == bindparam("repository"),
    manifests.c.digest.in_(bindparam("digests", expanding=True)),
)


def put(
    connection: Connection,
    repository: int,
    manifest: Manifest,
    *,
    tags: Sequence[str],
    terms: Terms,
    now: datetime,
    keeping: Keeping,
) -> None:
    """Record a manifest and let tags point to it; see `Manifests.put`.

    Raises:
        ManifestBlobUnknown: it names what the repository does not have.
        TagImmutable: a tag points elsewhere and may not be moved.
        QuotaExceeded: the namespace has no room.
    """
    namespace = namespace_of(connection, repository)
    if not terms.sparse:
        _check_present(connection, repository, manifest)
    for tag in tags:
        if tagging.pointed_to(connection, repository, tag) not in (None, manifest.digest):
            tagging.check_movable(tag, terms)
    its = {"repository": repository, "manifest": manifest.digest}
    if connection.execute(_EXISTS, its).first() is None:
        take_room(connection, namespace, len(manifest.raw))
        _add(connection, repository, manifest, by=terms.by, at=stamp(now))
    need_with_referrers(connection, repository, manifest.digest)
    _settle(connection, repository, manifest)
    moved = [
        tagging.point(connection, repository, tag, manifest.digest, by=terms.by, now=now)
        for tag in tags
    ]
    let_go(connection, repository, [each for each in moved if each], now, keeping.undo)
    if keeping.untagged:
        let_go(connection, repository, [manifest.digest], now, keeping.undo)


def _check_present(connection: Connection, repository: int, manifest: Manifest) -> None:
    """Return if the repository has what a manifest names, foreign layers aside."""
    missing: list[Digest] = []
    for kind, statement in ((Reference.BLOB, _LINKED), (Reference.MANIFEST, _PRESENT)):
        named = _named(manifest, kind)
        here = _here(connection, statement, repository, named)
        missing += [digest for digest in named if digest not in here]
    if missing:
        ordered = [each.digest for each, _ in manifest.references if each.digest in missing]
        names = list(dict.fromkeys(ordered))
        raise ManifestBlobUnknown(f"the repository does not have {', '.join(names)}", detail=names)


def _named(manifest: Manifest, *kinds: Reference) -> list[Digest]:
    return [named.digest for named, kind in manifest.references if kind in kinds]


def _here(
    connection: Connection, statement: Select[tuple[str]], repository: int, digests: list[Digest]
) -> set[str]:
    """Return those digests that the repository has."""
    here: set[str] = set()
    for part in portions(digests):
        here.update(connection.scalars(statement, {"repository": repository, "digests": part}))
    return here


def _add(connection: Connection, repository: int, manifest: Manifest, *, by: str, at: int) -> None:
    row = {
        "repository_id": repository,
        "digest": manifest.digest,
        "media_type": manifest.media_type,
        "artifact_type": manifest.artifact_type,
        "subject": manifest.subject,
        "config_digest": manifest.config_digest,
        "annotations": manifest.annotations,
        "size": len(manifest.raw),
        "pushed_at": at,
        "pushed_by": by,
        "lost_at": None,
        "raw": manifest.raw,
    }
    connection.execute(_ADD, row)
    named = {(each.digest, kind) for each, kind in manifest.references}
    rows = [
        {"repository_id": repository, "parent": manifest.digest, "child": child, "kind": kind}
        for child, kind in sorted(named)
    ]
    if rows:
        connection.execute(_REFER, rows)


def _settle(connection: Connection, repository: int, manifest: Manifest) -> None:
    """Let what a manifest names stay."""
    settle_links(connection, repository, sorted(set(_named(manifest, *BLOBS))))
    need(connection, repository, sorted(set(_named(manifest, Reference.MANIFEST))))
