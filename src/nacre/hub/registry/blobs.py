"""Which blobs a repository has.

A blob's bytes are kept once in the hub; a *link* says that a repository has it, and is the only
thing that lets somebody read it there. A link comes to be by a finished upload or by a mount
from a repository that the mounting person may pull from; never by asking for a blob, and never
by a manifest that names it.

A fresh link that no manifest of its repository needs yet lives until ``expires_at``; a manifest
that names the blob makes it stay, and when the last such manifest goes, the link gets a new time
to live. Every "yes, I have it" (a HEAD, a mount) leaves the link at least that long to live, so
that a client which was told so can finish its push (hub `jobs` remove links that have expired;
until one does, an expired link is a link like any other).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from nacre.oci.digest import Digest

GRACE = timedelta(hours=24)
"""How long a link lives that nothing needs."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob as a repository has it: ``key`` is where its bytes are.

    ``expires_at`` is None as long as a manifest of the repository names the blob.
    """

    digest: Digest
    size: int
    key: str
    expires_at: datetime | None


class Blobs(Protocol):
    """The records of blobs and links. Each method is one transaction."""

    async def find(self, repository: int, digest: Digest) -> Blob | None:
        """Return the blob if the repository has it."""

    async def promise(self, repository: int, digest: Digest, until: datetime) -> bool:
        """Let a link that would expire before ``until`` live until then; False: it is gone."""

    async def mount(
        self, repository: int, digest: Digest, *, sources: frozenset[int] | None, until: datetime
    ) -> Blob | None:
        """Link a blob that one of the repositories ``sources`` has; None when none of them has.

        ``sources`` None means any repository at all: only for those who may read everything. A
        blob that no repository has any more is not mounted, though its bytes may still be there.
        A link that is there already is renewed and answers the same.

        Raises:
            QuotaExceeded: the namespace has no room for it.
        """

    async def unlink(self, repository: int, digest: Digest, *, immutable: str = "") -> bool:
        """Take a blob from a repository at once; False when it was not there.

        Manifests that name it stay, as if pushed sparse; but not those that a tag needs which
        matches the pattern ``immutable``.

        Raises:
            TagImmutable: such a tag needs it.
        """
