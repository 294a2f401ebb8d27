"""The journal: what the records know, written beside the bytes, so that they can be made again.

Bytes lie under random keys: without the records nobody knows what they are. So every change to
what the hub holds is also told to the *outbox*, in the same transaction, and from there a job
carries it within seconds to the journal: files of JSON lines beside the bytes, only ever appended
to. ``nacre hub rebuild`` reads them in order and makes new records from them.

Users, passwords, tokens and roles are not in the journal: it holds nothing secret. Repositories
are rebuilt with the visibility they had.

A journal would grow for ever: now and then it begins anew with everything that is there at the
time, and what was before is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Told(StrEnum):
    """What an entry is about, and which facts it has; ``removed`` is true when that is gone."""

    NAMESPACE = "namespace"  # name, visibility, policy, quota (null is none)
    REPOSITORY = "repository"  # name, visibility, policy
    BLOB = "blob"  # digest, size, key
    LINK = "link"  # repository, digest
    MANIFEST = "manifest"  # repository, digest, media_type, raw (base64)
    TAG = "tag"  # repository, name, digest, by
    UNREADABLE = "unreadable"  # where: a part of the journal that was damaged


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: its number, what it is about, and the facts, as JSON has them.

    A policy is told as `nacre.hub.repositories.written` has it.
    """

    number: int
    kind: Told
    facts: Mapping[str, Any]

    @property
    def is_removed(self) -> bool:
        """Say whether what it is about is gone."""
        return bool(self.facts.get("removed"))


class Outbox(Protocol):
    """The changes that are not in the journal yet.

    Whoever reads all changes in order, and of each thing believes the last, knows what is there; so
    does who reads any number of the first changes, of the time when the last of them was made.
    Of a manifest that was deleted meanwhile only that is told.
    """

    async def waiting(self, limit: int) -> Sequence[Entry]:
        """Return the oldest changes, in order: some at least, while there are any."""

    async def carried(self, up_to: int) -> None:
        """Forget changes: they are in the journal, durably."""

    def everything(self) -> Iterator[Entry]:
        """Go through all that the records hold at one moment, as if it were told anew; blocks.

        All have the number of the last change before that moment.
        """


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a journal is, in bytes, and how long it was when it began anew."""

    whole: int
    begun: int


class Journal(Protocol):
    """Where the journal is kept. All methods block: call them off the event loop.

    One process writes at a time; the lease of its job sees to that.
    """

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries at the end, durably: all of them, or none if this breaks off.

        Raises:
            Busy, OutOfSpace: this cannot be done now.
        """

    def begin_anew(self, entries: Iterable[Entry]) -> None:
        """Put entries in the place of all that there is; nothing is lost if this breaks off.

        Raises:
            Busy, OutOfSpace: this cannot be done now.
        """

    def extent(self) -> Extent | None:
        """Return how long it is; None when there is no journal."""

    def __iter__(self) -> Iterator[Entry]:
        """Read all entries in order; what a crash cut off at the end is left out."""
