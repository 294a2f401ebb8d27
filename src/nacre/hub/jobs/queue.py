"""What garbage collection looks at next, without ever searching the whole hub.

Whatever may have become unneeded is put on a queue by the transaction that may have made it so,
with a time before which nobody looks (a grace and a little chance, so that work spreads). A
worker takes one entry, decides from the records in one transaction, and forgets the entry. There
is no pause: clients push and pull meanwhile, and no decision rests on what was read before its
transaction began.

Four kinds are looked at: a *manifest* that may have lost its last tag, parent and reason; a *link*
between a repository and a blob that no manifest may need any more; a *blob* that may have lost its
last link; a *repository* that a push made in which nothing was ever completed, or that has lost
its last link. Removing a manifest queues its links and children; removing a link queues its blob
and its repository; removing a blob puts its key on the *trash*, from where the bytes are deleted
later still, when every reader that knew the key has had time to finish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What a queue entry is about; the order is that in which they free each other."""

    MANIFEST = "manifest"
    LINK = "link"
    BLOB = "blob"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True)
class Collected:
    """What a worker has removed, or, in a dry run, would: counts, and bytes of blobs.

    Repositories that are empty are not counted: they take no space.
    """

    manifests: int = 0
    links: int = 0
    blobs: int = 0
    bytes: int = 0

    def __add__(self, other: Collected) -> Collected:
        """Return the sum."""
        return Collected(
            self.manifests + other.manifests,
            self.links + other.links,
            self.blobs + other.blobs,
            self.bytes + other.bytes,
        )


class Garbage(Protocol):
    """The records behind garbage collection. Each method is one transaction."""

    async def review(self, kind: Kind, now: datetime, limit: int) -> tuple[int, Collected]:
        """Look at up to ``limit`` entries that are due, remove what is not needed.

        What is not needed but not yet to go (a link that was promised, a manifest that can still be
        restored, a repository with an upload) is put back on the queue for then. A repository goes
        that has no manifest, blob, upload or history of tags, and about which nobody said anything:
        no policy or role, and it is as visible as its namespace.

        Returns how many entries were looked at, and what was removed.
        """

    async def would_collect(self, now: datetime, *, spare: timedelta = timedelta(0)) -> Collected:
        """Say what reviewing everything, due or not, would remove; changes nothing.

        That is what `hasten` and reviews of every kind, in turns until they find nothing more, do.
        """

    async def hasten(self, now: datetime, *, spare: timedelta = timedelta(0)) -> None:
        """Make all entries, expiries of unneeded links, and trash due: for a collection by hand.

        With ``spare``, clients may push and pull meanwhile: a link that somebody was told of less
        than that ago keeps its time, and so does the trash. Manifests that can still be restored
        stay so in any case.
        """

    async def trash(self, now: datetime, limit: int) -> Sequence[str]:
        """Return keys whose bytes are to be deleted now."""

    async def forget_trash(self, keys: Sequence[str]) -> None:
        """Take keys off the trash: their bytes are gone."""


class Leases(Protocol):
    """Names that one process of the hub holds at a time, so that a job runs once."""

    async def acquire(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """Take or renew a name until ``until``; False while another holds it."""

    async def release(self, name: str, holder: str) -> None:
        """Give a name back, if it is still the holder's."""
