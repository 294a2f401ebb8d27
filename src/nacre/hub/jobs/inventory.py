"""What the records say about bytes, gone through page by page: for checks and repairs.

A check compares the records with the place where bytes are kept. A record whose bytes are missing
or wrong is *lost*: repairing forgets it, so that the hub answers "I do not have it" and the next
push brings it again; manifests that name it stay. Bytes that no record points to are *stray*: a
process died between writing and recording; repairing deletes those that are old enough that no
upload can be about to record them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from nacre.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Recorded:
    """A blob as recorded, in whatever repositories it is."""

    digest: Digest
    size: int
    key: str


class Inventory(Protocol):
    """The records of all blobs. Each method is one transaction."""

    async def blobs(self, *, after: str, limit: int) -> Sequence[Recorded]:
        """Return blobs by digest, those after ``after``; "" begins."""

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Return those of the keys that a blob, an upload or the trash points to."""

    async def forget_lost(self, digest: Digest, key: str) -> bool:
        """Forget a blob, all links to it included, if it still is at ``key``; False otherwise."""
