"""What the records say, gone through page by page: for checks, repairs and jobs on everything.

A check compares the records with the place where bytes are kept. A record whose bytes are missing
or wrong is *lost*: repairing forgets it, so that the hub answers "I do not have it" and the next
push brings it again; manifests that name it stay. Bytes that no record points to are *stray*: a
process died between writing and recording; repairing deletes those that are old enough that no
upload can be about to record them.

What a manifest names is recorded beside its bytes. Should both ever differ, what the bytes say is
true: they are what clients are given.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from nacre.hub.registry.manifests import Manifest, Reference
from nacre.hub.repositories.repository import Repository
from nacre.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Recorded:
    """A blob as recorded, in whatever repositories it is."""

    digest: Digest
    size: int
    key: str


@dataclass(frozen=True, slots=True)
class Held:
    """A manifest as a repository holds it, with what is recorded about what it names.

    Attributes:
        repository: the number of its repository, and ``name`` its name.
        named: what it names, and how.
        loose: blobs that it names and whose links would expire all the same.
        missing: what it names and the repository does not have, foreign layers aside.
    """

    repository: int
    name: str
    digest: Digest
    media_type: str
    raw: bytes
    named: frozenset[tuple[Digest, Reference]]
    loose: frozenset[Digest]
    missing: frozenset[Digest]


class Inventory(Protocol):
    """The records of everything. Each method is one transaction."""

    async def repositories(self, *, after: str, limit: int) -> Sequence[Repository]:
        """Return repositories by name, those after ``after``; "" begins."""

    async def blobs(self, *, after: str, limit: int) -> Sequence[Recorded]:
        """Return blobs by digest, those after ``after``; "" begins."""

    async def blob(self, digest: Digest) -> Recorded | None:
        """Return a blob."""

    async def manifests(self, *, after: tuple[int, str], limit: int) -> Sequence[Held]:
        """Return manifests by repository and digest, those after ``after``; (0, "") begins."""

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Return those of the keys that a blob, an upload or the trash points to."""

    async def forget_lost(self, digest: Digest, key: str) -> bool:
        """Forget a blob, all links to it included, if it still is at ``key``; False otherwise.

        What may be left of its bytes goes to the trash.
        """

    async def mend(self, repository: int, manifest: Manifest) -> bool:
        """Record anew what a manifest names, and let that stay; False when it is gone."""
