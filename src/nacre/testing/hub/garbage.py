"""Garbage collection in memory."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import datetime, timedelta

from nacre.hub.jobs.queue import Collected, Kind
from nacre.hub.registry.blobs import GRACE
from nacre.hub.repositories.policy import Policy
from nacre.oci.digest import Digest
from nacre.testing.hub.state import TRASH_DELAY, RepositoryRow, State


class MemoryGarbage:
    """Meets `nacre.hub.jobs.queue.Garbage`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def review(self, kind: Kind, now: datetime, limit: int) -> tuple[int, Collected]:
        queue = self._state.queue
        due = [entry for entry, at in queue.items() if entry[0] is kind and at <= now]
        due = sorted(due, key=lambda entry: queue[entry])[:limit]
        collected = Collected()
        for entry in due:
            del queue[entry]
            collected += self._reviewed(entry[0], entry[1], entry[2], now)
        return len(due), collected

    def _reviewed(self, kind: Kind, repository: int, about: str, now: datetime) -> Collected:
        row = self._state.repositories.get(repository)
        if kind is Kind.REPOSITORY:
            return self._review_repository(row, now)
        digest = Digest(about)
        if kind is Kind.BLOB:
            return self._review_blob(digest, now)
        if row is None:
            return Collected()
        if kind is Kind.LINK:
            return self._review_link(row, digest, now)
        return self._review_manifest(row, digest, now)

    def _review_manifest(self, row: RepositoryRow, digest: Digest, now: datetime) -> Collected:
        held = row.manifests.get(digest)
        if held is None or held.lost_at is None:
            return Collected()
        if held.lost_at + self._state.undo_for > now:
            self._state.queue[Kind.MANIFEST, row.id, digest] = held.lost_at + self._state.undo_for
            return Collected()
        del row.manifests[digest]
        self._state.settle(row, now)
        return Collected(manifests=1)

    def _review_link(self, row: RepositoryRow, digest: Digest, now: datetime) -> Collected:
        expires = row.links.get(digest)
        if expires is None:
            return Collected()
        if expires > now:
            self._state.queue[Kind.LINK, row.id, digest] = expires
            return Collected()
        self._state.unlink(row, digest, now)
        self._state.queue[Kind.REPOSITORY, row.id, ""] = now
        return Collected(links=1)

    def _review_repository(self, row: RepositoryRow | None, now: datetime) -> Collected:
        if row is None or row.has_content or row.events or row.roles or row.policy != Policy():
            return Collected()
        if row.visibility is not self._state.namespaces[row.namespace].visibility:
            return Collected()
        if any(held.upload.repository == row.id for held in self._state.uploads.values()):
            self._state.queue[Kind.REPOSITORY, row.id, ""] = now + GRACE
        else:
            self._state.remove(row)
        return Collected()

    def _review_blob(self, digest: Digest, now: datetime) -> Collected:
        blob = self._state.blobs.get(digest)
        if blob is None or any(digest in row.links for row in self._state.repositories.values()):
            return Collected()
        del self._state.blobs[digest]
        self._state.trash[blob.key] = now + TRASH_DELAY
        return Collected(blobs=1, bytes=blob.size)

    async def would_collect(self, now: datetime, *, spare: timedelta = timedelta(0)) -> Collected:
        state = copy.deepcopy(self._state)
        trial = MemoryGarbage(state)
        total = Collected()
        while True:
            await trial.hasten(now, spare=spare)
            found = Collected()
            for kind in Kind:
                found += (await trial.review(kind, now, len(state.queue)))[1]
            if found == Collected():
                return total
            total += found

    async def hasten(self, now: datetime, *, spare: timedelta = timedelta(0)) -> None:
        for row in self._state.repositories.values():
            for digest, expires in row.links.items():
                if expires is not None and (not spare or expires <= now + GRACE - spare):
                    row.links[digest] = min(expires, now)
        self._state.queue = {entry: min(at, now) for entry, at in self._state.queue.items()}
        if not spare:
            self._state.trash = {key: min(at, now) for key, at in self._state.trash.items()}

    async def trash(self, now: datetime, limit: int) -> Sequence[str]:
        due = [key for key, at in self._state.trash.items() if at <= now]
        return sorted(due, key=lambda key: self._state.trash[key])[:limit]

    async def forget_trash(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._state.trash.pop(key, None)
