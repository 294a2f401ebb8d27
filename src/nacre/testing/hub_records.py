"""The records of a hub in memory: for tests, and to compare other implementations with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from nacre.hub.repositories.repository import Visibility
from nacre.testing.hub.blobs import MemoryBlobs
from nacre.testing.hub.garbage import MemoryGarbage
from nacre.testing.hub.inventory import MemoryInventory
from nacre.testing.hub.keys import MemoryJobLeases, MemoryKeys
from nacre.testing.hub.manifests import MemoryManifests
from nacre.testing.hub.outbox import MemoryOutbox
from nacre.testing.hub.repositories import MemoryRepositories
from nacre.testing.hub.state import State
from nacre.testing.hub.uploads import MemoryUploads
from nacre.testing.hub.users import MemoryUsers


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryRecords:
    """Meets `nacre.hub.records.Records`; nothing is kept when it goes.

    Args:
        now: the clock, of times in UTC.
        undo_for: how long a manifest that lost its last tag, parent and subject is kept.
        visibility: of a new namespace, where nothing else is said.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = _now,
        *,
        undo_for: timedelta = timedelta(days=30),
        visibility: Visibility = Visibility.PRIVATE,
    ) -> None:
        state = State(now, undo_for)
        self.repositories = MemoryRepositories(state, visibility)
        self.users = MemoryUsers(state, visibility)
        self.blobs = MemoryBlobs(state)
        self.uploads = MemoryUploads(state)
        self.manifests = MemoryManifests(state)
        self.garbage = MemoryGarbage(state)
        self.leases = MemoryJobLeases(state)
        self.keys = MemoryKeys(state)
        self.inventory = MemoryInventory(state)
        self.outbox = MemoryOutbox(state)

    async def check(self) -> None:
        """Return: memory can always be reached."""

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""
