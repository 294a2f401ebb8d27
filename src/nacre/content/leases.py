"""Leases: content in use by a running process, kept from garbage collection.

Life-cycle. A process that is about to fetch, build or pass on content enters ``lease``. Before
it relies on a blob, be it one it will write or one it found, it calls ``hold``; only then does it
look whether the blob is there. Collection treats what is held, and everything that hangs on it,
as alive. When the block ends, however it ends, and also when the process is killed, the lease is
gone; content that a name points at by then stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from nacre.oci.descriptor import Descriptor


class Lease(Protocol):
    """A promise, for as long as the process lives, that held content stays."""

    def hold(self, descriptors: Iterable[Descriptor]) -> None:
        """Keep this content and all that manifests among it refer to."""


class Leases(Protocol):
    """Who holds what."""

    def lease(self) -> AbstractContextManager[Lease]:
        """Enter a lease of this process."""

    def held(self) -> Iterable[Descriptor]:
        """Return what live processes hold."""
