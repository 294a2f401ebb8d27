"""Which blobs a repository has: asking, mounting and taking away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from nacre.hub.errors import BlobUnknown
from nacre.hub.registry.blobs import Blob, Blobs
from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.repository import Repository
from nacre.oci.digest import Digest


class Having:
    """The rules of blobs that are here.

    Args:
        blobs: their records.
        rules: how long a promise holds.
        now: the time, UTC.
    """

    def __init__(self, blobs: Blobs, *, rules: Rules, now: Callable[[], datetime]) -> None:
        self._blobs = blobs
        self._rules = rules
        self._now = now

    async def find(self, repository: int, digest: Digest) -> Blob:
        """Return a blob of the repository, to be read.

        Raises:
            BlobUnknown: the repository does not have it, whoever else does.
        """
        blob = await self._blobs.find(repository, digest)
        if blob is None:
            raise unknown(digest)
        return blob

    async def promised(self, repository: int, digest: Digest) -> Blob:
        """Return a blob that will stay for the grace at least: somebody builds on it being here.

        Raises:
            BlobUnknown: the repository does not have it.
        """
        blob = await self.find(repository, digest)
        now = self._now()
        ends = blob.expires_at
        if ends is not None and ends < now + self._rules.grace:
            until = now + self._rules.life
            if not await self._blobs.promise(repository, digest, until):
                raise unknown(digest)
        return blob

    async def mount(
        self, repository: int, digest: Digest, *, sources: frozenset[int] | None
    ) -> Blob | None:
        """Let the repository have a blob of one of ``sources`` (None is any); None: none has it.

        ``sources`` are repositories that whoever asks may pull from; the work done is the same
        whether they lack the blob or there are none.

        Raises:
            QuotaExceeded: the namespace has no room for it.
        """
        until = self._now() + self._rules.life
        return await self._blobs.mount(repository, digest, sources=sources, until=until)

    async def unlink(self, repository: Repository, digest: Digest) -> None:
        """Take a blob from the repository, at once for everybody.

        Raises:
            BlobUnknown: the repository does not have it.
            TagImmutable: a tag needs it whose image a policy keeps as it is.
        """
        immutable = self._rules.immutable_in(repository)
        if not await self._blobs.unlink(repository.id, digest, immutable=immutable):
            raise unknown(digest)


def unknown(digest: Digest) -> BlobUnknown:
    """Return what is said of a blob that the repository does not have."""
    return BlobUnknown("blob unknown to registry", detail={"digest": digest})
