"""Manifests, tags and referrers in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from nacre.hub.errors import ManifestBlobUnknown, ManifestUnknown, TagImmutable
from nacre.hub.registry.manifests import (
    Manifest,
    Reference,
    Referrer,
    Stored,
    Tag,
    TagChange,
    TagEvent,
    Terms,
)
from nacre.oci.digest import Digest
from nacre.testing.hub.state import ManifestRow, RepositoryRow, State


class MemoryManifests:
    """Meets `nacre.hub.registry.manifests.Manifests`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def by_tag(self, repository: int, tag: str) -> Stored | None:
        row = self._state.repositories.get(repository)
        if row is None or tag not in row.tags:
            return None
        return await self.by_digest(repository, row.tags[tag].digest)

    async def by_digest(self, repository: int, digest: Digest) -> Stored | None:
        row = self._state.repositories.get(repository)
        if row is None or digest not in row.manifests:
            return None
        manifest = row.manifests[digest].manifest
        return Stored(digest, manifest.media_type, manifest.raw)

    async def put(
        self, repository: int, manifest: Manifest, *, tags: Sequence[str], terms: Terms
    ) -> None:
        row = self._state.there(repository)
        missing = [] if terms.sparse else _missing(row, manifest)
        if missing:
            names = ", ".join(missing)
            raise ManifestBlobUnknown(f"the repository does not have {names}", detail=missing)
        for tag in tags:
            if tag in row.tags and row.tags[tag].digest != manifest.digest:
                _check_movable(tag, terms)
        if manifest.digest not in row.manifests:
            self._state.check_room(row.namespace, len(manifest.raw))
        known = row.manifests.setdefault(manifest.digest, ManifestRow(manifest))
        known.lost_at = None
        for tag in tags:
            self._point(row, tag, manifest.digest, terms.by)
        self._state.settle(row, self._state.now())

    def _point(
        self, row: RepositoryRow, tag: str, digest: Digest, by: str, change: TagChange | None = None
    ) -> None:
        before = row.tags.get(tag)
        if before is not None and before.digest == digest:
            row.tags[tag] = replace(before, pushed_at=self._state.now())
            return
        change = change or (TagChange.MOVED if before else TagChange.CREATED)
        pulled_at = before.pulled_at if before else None
        row.tags[tag] = Tag(tag, digest, self._state.now(), pulled_at, by)
        self._note(row, tag, change, before.digest if before else None, by)

    def _note(
        self, row: RepositoryRow, tag: str, change: TagChange, before: Digest | None, by: str
    ) -> None:
        after = row.tags[tag].digest if tag in row.tags else None
        now = self._state.now()
        event = TagEvent(self._state.new_id(), tag, change, before, after, by, now)
        row.events.append(event)

    async def delete(self, repository: int, digest: Digest, *, terms: Terms) -> bool:
        row = self._state.repositories.get(repository)
        if row is None or digest not in row.manifests:
            return False
        tags = sorted(tag.name for tag in row.tags.values() if tag.digest == digest)
        for tag in tags:
            _check_movable(tag, terms)
        row.check_not_needed(digest, Reference.MANIFEST, immutable=terms.immutable)
        for tag in tags:
            self._remove_tag(row, tag, terms.by)
        del row.manifests[digest]
        self._state.settle(row, self._state.now())
        return True

    async def delete_tag(
        self, repository: int, tag: str, *, terms: Terms, expected: Digest | None = None
    ) -> bool:
        row = self._state.repositories.get(repository)
        if row is None or tag not in row.tags:
            return False
        if expected not in (None, row.tags[tag].digest):
            return False
        _check_movable(tag, terms)
        self._remove_tag(row, tag, terms.by)
        self._state.settle(row, self._state.now())
        return True

    def _remove_tag(self, row: RepositoryRow, tag: str, by: str) -> None:
        before = row.tags.pop(tag).digest
        self._note(row, tag, TagChange.DELETED, before, by)

    async def tags(self, repository: int, *, after: str, limit: int) -> Sequence[str]:
        row = self._state.repositories.get(repository)
        return sorted(tag for tag in (row.tags if row else ()) if tag > after)[:limit]

    async def tag_list(self, repository: int) -> Sequence[Tag]:
        row = self._state.repositories.get(repository)
        tags = sorted(row.tags.values() if row else (), key=lambda tag: tag.name)
        return sorted(tags, key=lambda tag: tag.pushed_at, reverse=True)

    async def history(self, repository: int, tag: str | None, limit: int) -> Sequence[TagEvent]:
        row = self._state.repositories.get(repository)
        events = reversed(row.events if row else [])
        return [event for event in events if tag is None or event.tag == tag][:limit]

    async def restore(self, repository: int, tag: str, digest: Digest, *, by: str) -> None:
        row = self._state.repositories.get(repository)
        if row is None or digest not in row.manifests:
            raise ManifestUnknown(f"the manifest {digest} is gone for good")
        if not any(event.tag == tag and event.after == digest for event in row.events):
            raise ManifestUnknown(f"the tag {tag} never pointed to {digest}")
        self._point(row, tag, digest, by, TagChange.RESTORED)
        self._state.settle(row, self._state.now())

    async def referrers(
        self, repository: int, subject: Digest, *, artifact_type: str, after: str, limit: int
    ) -> Sequence[Referrer]:
        row = self._state.repositories.get(repository)
        manifests = [held.manifest for held in row.manifests.values()] if row else []
        found = [
            _referrer(manifest)
            for manifest in manifests
            if manifest.subject == subject
            and manifest.digest > after
            and artifact_type in ("", manifest.artifact_type)
        ]
        return sorted(found, key=lambda referrer: referrer.digest)[:limit]

    async def pulled(self, pulls: Sequence[tuple[int, str, datetime]]) -> None:
        for repository, tag, at in pulls:
            row = self._state.repositories.get(repository)
            if row is not None and tag in row.tags:
                last = row.tags[tag].pulled_at
                row.tags[tag] = replace(row.tags[tag], pulled_at=max(at, last or at))


def _missing(row: RepositoryRow, manifest: Manifest) -> list[Digest]:
    """Return what a manifest names and its repository does not have, in the order named."""
    here = {
        Reference.BLOB: row.links.keys(),
        Reference.MANIFEST: row.manifests.keys(),
    }
    missing = [
        named.digest
        for named, kind in manifest.references
        if kind is not Reference.FOREIGN and named.digest not in here[kind]
    ]
    return list(dict.fromkeys(missing))


def _check_movable(tag: str, terms: Terms) -> None:
    if terms.immutable and re.fullmatch(terms.immutable, tag):
        raise TagImmutable(f"the tag {tag} may be neither moved nor deleted")


def _referrer(manifest: Manifest) -> Referrer:
    return Referrer(
        manifest.digest,
        manifest.media_type,
        len(manifest.raw),
        manifest.artifact_type,
        manifest.annotations,
    )
