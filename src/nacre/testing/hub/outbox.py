"""What the journal has not been told, in memory: what differs from when somebody last looked."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nacre.hub.jobs.journal import Entry, Told
from nacre.hub.repositories.written import facts_of
from nacre.testing.hub.state import State

_Facts = Mapping[str, Any]
_What = tuple[Told, tuple[tuple[str, Any], ...]]


class MemoryOutbox:
    """Meets `nacre.hub.jobs.journal.Outbox`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._seen: dict[_What, _Facts] = {}
        self._waiting: list[Entry] = []
        self._number = 0

    async def waiting(self, limit: int) -> Sequence[Entry]:
        self._look()
        return self._waiting[:limit]

    async def carried(self, up_to: int) -> None:
        self._waiting = [entry for entry in self._waiting if entry.number > up_to]

    def everything(self) -> Iterator[Entry]:
        self._look()
        for (kind, _), facts in dict(self._seen).items():
            yield Entry(self._number, kind, facts)

    def _look(self) -> None:
        there = {_what(kind, facts): facts for kind, facts in _told(self._state)}
        for kind, names in reversed(list(self._seen)):
            if (kind, names) not in there and kind is not Told.BLOB:
                self._tell(kind, dict(names) | {"removed": True})
        for (kind, names), facts in there.items():
            if self._seen.get((kind, names)) != facts:
                self._tell(kind, facts)
        self._seen = there

    def _tell(self, kind: Told, facts: _Facts) -> None:
        self._number += 1
        self._waiting.append(Entry(self._number, kind, facts))


def _what(kind: Told, facts: _Facts) -> _What:
    """Return what names the thing that facts are about."""
    parts = {
        Told.NAMESPACE: ("name",),
        Told.REPOSITORY: ("name",),
        Told.BLOB: ("digest",),
        Told.LINK: ("repository", "digest"),
        Told.MANIFEST: ("repository", "digest"),
        Told.TAG: ("repository", "name"),
    }
    return kind, tuple((part, facts[part]) for part in parts[kind])


def _told(state: State) -> Iterator[tuple[Told, _Facts]]:
    """Go through everything; what is needed comes before what needs it."""
    for space in state.namespaces.values():
        policy = facts_of(space.policy)
        its = {"name": space.name, "visibility": space.visibility.value, "policy": policy}
        yield Told.NAMESPACE, its | {"quota": space.quota}
    rows = list(state.repositories.values())
    for row in rows:
        policy = facts_of(row.policy)
        its = {"name": row.name, "visibility": row.visibility.value, "policy": policy}
        yield Told.REPOSITORY, its
    for blob in state.blobs.values():
        yield Told.BLOB, {"digest": blob.digest, "size": blob.size, "key": blob.key}
    for row in rows:
        for digest in row.links:
            yield Told.LINK, {"repository": row.name, "digest": digest}
    for row in rows:
        for held in row.manifests.values():
            manifest = held.manifest
            its = {"repository": row.name, "digest": manifest.digest}
            raw = b64encode(manifest.raw).decode()
            yield Told.MANIFEST, its | {"media_type": manifest.media_type, "raw": raw}
    for row in rows:
        for tag in row.tags.values():
            its = {"repository": row.name, "name": tag.name}
            yield Told.TAG, its | {"digest": tag.digest, "by": tag.by}
