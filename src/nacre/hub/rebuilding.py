"""Making new records from a journal and the bytes that are there.

Everything goes through the same doors as a push does, on terms that let manifests come before
what they name. Users, roles and the history of tags are not in a journal and do not come back.
"""

from __future__ import annotations

import asyncio
from asyncio import to_thread
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from nacre.hub.errors import RegistryError
from nacre.hub.jobs.checking import bad_bytes, bad_length
from nacre.hub.jobs.inventory import Recorded
from nacre.hub.jobs.journal import Entry, Journal
from nacre.hub.jobs.replaying import Memory, Remembered, manifests, remember
from nacre.hub.records import Records
from nacre.hub.registry.blobs import GRACE
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.documents import read
from nacre.hub.registry.manifests import Terms
from nacre.hub.registry.uploads import Upload
from nacre.hub.repositories.repository import Visibility
from nacre.hub.repositories.written import policy_of
from nacre.oci.digest import Digest

BY = "rebuild"
"""Who has pushed what had to be pushed again, where nothing else is known."""
_TOGETHER = 64
"""How many changes are under way at once: those that wait are committed together."""
_LEASE = timedelta(hours=1)


@dataclass(slots=True)
class Rebuilt:
    """What was made, and what could not be: a line each."""

    repositories: int = 0
    blobs: int = 0
    manifests: int = 0
    tags: int = 0
    problems: list[str] = field(default_factory=list)


class Rebuilder:
    """Fills empty records.

    Args:
        records: the new, empty ones.
        journal: what the old ones told.
        place: the bytes.
        now: the clock, with its zone.
        verify: whether to read all bytes and compare their digests, not only their lengths.
    """

    def __init__(
        self,
        records: Records,
        journal: Journal,
        place: BytePlace,
        *,
        now: Callable[[], datetime],
        verify: bool = False,
    ) -> None:
        self._records = records
        self._journal = journal
        self._place = place
        self._now = now
        self._look = bad_bytes if verify else bad_length
        self._numbers: dict[str, int] = {}
        self._tagged: dict[str, dict[Digest, dict[str, list[str]]]] = {}
        self._done = Rebuilt()

    async def rebuild(self) -> Rebuilt:
        """Do it, and say what came of it."""
        memory = await to_thread(remember, self._journal)
        self._done.problems += [f"the journal is damaged: {where}" for where in memory.unreadable]
        for name, repository in memory.repositories.items():
            await self._add_repository(name, repository)
        await self._add_blobs(memory)
        await self._add_manifests(memory)
        for name, facts in memory.namespaces.items():
            await self._records.repositories.change_namespace(
                name,
                visibility=Visibility(facts["visibility"]),
                policy=policy_of(facts["policy"]),
                quota=facts["quota"],
            )
        # The journal tells all this already.
        while told := await self._records.outbox.waiting(1000):
            await self._records.outbox.carried(told[-1].number)
        return self._done

    async def _add_repository(self, name: str, repository: Remembered) -> None:
        visibility = Visibility(repository.facts["visibility"])
        made = await self._records.repositories.ensure(name, visibility)
        policy = policy_of(repository.facts["policy"])
        await self._records.repositories.change(name, policy=policy)
        self._numbers[name] = made.id
        self._tagged[name] = _by_digest(repository)
        self._done.repositories += 1

    async def _add_blobs(self, memory: Memory) -> None:
        """Add each blob by its first repository, and link it to the others."""
        places: dict[Digest, list[int]] = {}
        for name, repository in memory.repositories.items():
            for digest in repository.links:
                places.setdefault(digest, []).append(self._numbers[name])
        unknown = places.keys() - memory.blobs.keys()
        self._done.problems += [f"blob {digest}: the journal has no key" for digest in unknown]
        await _all(
            self._add_blob(memory.blobs[digest], numbers)
            for digest, numbers in places.items()
            if digest not in unknown
        )

    async def _add_blob(self, blob: Recorded, repositories: list[int]) -> None:
        trouble = await to_thread(self._look, self._place, blob)
        if trouble is not None:
            self._done.problems.append(f"blob {blob.digest}: {trouble[1]}")
            return
        now = self._now()
        uploads, whose = self._records.uploads, repositories[0]
        upload = Upload(
            blob.key, whose, BY, blob.key, blob.size, blob.digest.algorithm, blob.digest, now
        )
        await uploads.start(upload)
        await uploads.take(upload.id, repository=whose, owner=BY, holder=BY, until=now + _LEASE)
        await uploads.finish(
            upload.id, holder=BY, digest=blob.digest, size=blob.size, until=now + GRACE
        )
        for other in repositories[1:]:
            await self._records.blobs.mount(other, blob.digest, sources=None, until=now + GRACE)
        self._done.blobs += 1

    async def _add_manifests(self, memory: Memory) -> None:
        async for together in _in_parts(manifests(self._journal, memory)):
            await _all(self._add_manifest(name, entry) for name, entry in together)
        for name, repository in memory.repositories.items():
            self._done.problems += [
                f"tag {name}:{tag}: the journal has no manifest {digest}"
                for tag, (digest, _) in repository.tags.items()
                if digest not in repository.manifests
            ]

    async def _add_manifest(self, name: str, entry: Entry) -> None:
        digest = Digest(entry.facts["digest"])
        try:
            raw = b64decode(entry.facts.get("raw", ""))
            manifest = read(raw, entry.facts.get("media_type", ""), digest)
        except (RegistryError, ValueError) as error:
            self._done.problems.append(f"manifest {name}@{digest}: {error}")
            return
        for by, tags in self._tagged[name].get(digest, {BY: []}).items():
            terms = Terms(by=by, sparse=True)
            await self._records.manifests.put(self._numbers[name], manifest, tags=tags, terms=terms)
            self._done.tags += len(tags)
        self._done.manifests += 1


def _by_digest(repository: Remembered) -> dict[Digest, dict[str, list[str]]]:
    """Return the tags of each manifest, by who has pushed them."""
    tagged: dict[Digest, dict[str, list[str]]] = {}
    for tag, (digest, by) in sorted(repository.tags.items()):
        tagged.setdefault(digest, {}).setdefault(by, []).append(tag)
    return tagged


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do everything, some at a time."""
    rest = iter(work)
    while together := list(islice(rest, _TOGETHER)):
        await asyncio.gather(*together)


async def _in_parts(
    found: Iterator[tuple[str, Entry]],
) -> AsyncIterator[list[tuple[str, Entry]]]:
    """Read off the event loop, some at a time."""
    while together := await to_thread(lambda: list(islice(found, _TOGETHER))):
        yield together
