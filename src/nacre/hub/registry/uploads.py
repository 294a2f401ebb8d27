"""Uploads: blobs on their way in.

An upload's life. ``start`` records it, bound to one repository and to who started it; nobody else
can see, continue or cancel it. A request that brings bytes *takes* it for a while (a lease, so
that of two requests at once, in any process, only one writes), writes them to its key, and
*leaves* it with the new offset; a request that dies leaves the offset as it was, and the lease
runs out. ``finish`` turns it into a blob and a link in one transaction. ``cancel`` ends it; an
upload that was idle for a day is cancelled by the hub.

Any process of the hub can serve any request of an upload. What only one process has, the running
hash, is a shortcut: who does not have it reads the bytes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from nacre.hub.errors import QuotaExceeded
from nacre.hub.registry.blobs import Blob
from nacre.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as recorded.

    Attributes:
        id: random; part of the address that its owner continues it at.
        owner: who started it: a user's name, or "" for the anonymous.
        key: where its bytes are.
        offset: how many bytes are in.
        algorithm: of the digest that was announced at the start, else "sha256".
        digest: of the bytes up to ``offset`` when that is known, which saves reading them again.
    """

    id: str
    repository: int
    owner: str
    key: str
    offset: int
    algorithm: str
    digest: Digest | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Room:
    """What a namespace may hold: ``quota`` bytes in all, of which ``used`` are taken."""

    namespace: str
    quota: int
    used: int

    def check(self, size: int) -> None:
        """Return if there is room for ``size`` bytes more.

        Raises:
            QuotaExceeded: there is not.
        """
        if size > self.quota - self.used:
            raise QuotaExceeded(
                f"the namespace {self.namespace} may hold {self.quota} bytes"
                f" and has no room for {size} more"
            )


@dataclass(frozen=True, slots=True)
class Known:
    """Bytes that the hub has under a digest, in whatever repository: where, and how many."""

    key: str
    size: int


class Uploads(Protocol):
    """The records of uploads. Each method is one transaction."""

    async def start(self, upload: Upload) -> None:
        """Record a new upload."""

    async def find(self, upload: str, *, repository: int, owner: str) -> Upload:
        """Return an upload of this repository and owner.

        Raises:
            BlobUploadUnknown: there is none; those of others count as none.
        """

    async def take(
        self, upload: str, *, repository: int, owner: str, holder: str, until: datetime
    ) -> Upload:
        """Take an upload for a request; ``holder`` (unique for the request) may take it again.

        Raises:
            BlobUploadUnknown: there is none.
            Busy: another request has it.
        """

    async def leave(self, upload: str, *, holder: str, offset: int, digest: Digest | None) -> None:
        """Record how far it has come, and give it back.

        A lease that ran out counts for as long as nobody else took it.

        Raises:
            BlobUploadUnknown: it was cancelled, or the lease ran out and another has it.
        """

    async def room(self, repository: int) -> Room | None:
        """Return what the namespace of a repository may hold; None is no limit."""

    async def known(self, digest: Digest) -> Known | None:
        """Return what is recorded of the bytes of a digest; whether they are there is not asked."""

    async def finish(
        self,
        upload: str,
        *,
        holder: str,
        digest: Digest,
        size: int,
        until: datetime,
        lost: str | None = None,
    ) -> Blob:
        """Turn an upload into a blob and a link that lives until ``until``; its key is sealed.

        When the hub has these bytes already, the key it has them under stays and this upload's
        is dropped later; but a key that is ``lost``, where somebody looked and they are not,
        gives way to this upload's, for all repositories that have the blob.

        Raises:
            BlobUploadUnknown: it was cancelled, or ``holder`` does not have it (any more).
            QuotaExceeded: the namespace has no room; the upload is gone.
        """

    async def cancel(self, upload: str, *, repository: int, owner: str) -> None:
        """End an upload, even if a request has it; its bytes are dropped later.

        Raises:
            BlobUploadUnknown: there is none.
        """

    async def cancel_idle(self, before: datetime, limit: int) -> Sequence[str]:
        """End uploads that nothing was done to since ``before``; return their ids.

        To take one and to leave it is something; one that a request has is not idle.
        """
