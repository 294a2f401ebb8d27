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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: its number, what kind it is of, and the facts, as JSON has them.

    Kinds and their facts:
        repository: name, visibility, policy; removed is true when it was deleted.
        blob: digest, size, key.
        link: repository, digest; removed is true when it was taken away.
        manifest: repository, digest, media_type, raw (base64); removed is true when deleted.
        tag: repository, name, digest; the digest is null when the tag was deleted.
    """

    number: int
    kind: str
    facts: Mapping[str, Any]


class Outbox(Protocol):
    """The changes that are not in the journal yet. Each method is one transaction."""

    async def waiting(self, limit: int) -> Sequence[Entry]:
        """Return the oldest changes, in order."""

    async def carried(self, up_to: int) -> None:
        """Forget changes: they are in the journal, durably."""

    def everything(self) -> Iterator[Entry]:
        """Go through all that the records hold, as if it were told anew; blocks."""


class Journal(Protocol):
    """Where the journal is kept. All methods block: call them off the event loop."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries at the end, durably."""

    def begin_anew(self, entries: Iterator[Entry]) -> None:
        """Put entries in the place of all that there is; nothing is lost if this breaks off."""

    def __iter__(self) -> Iterator[Entry]:
        """Read all entries in order; a last line that was cut off by a crash is left out."""
