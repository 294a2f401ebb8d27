"""Publishing manifests: finding, putting and deleting them by tag or digest."""

from __future__ import annotations

from collections.abc import Sequence

from nacre.hub.errors import DigestInvalid, ManifestUnknown, TagInvalid
from nacre.hub.registry.manifests import Manifest, Manifests, Stored
from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.repository import Repository
from nacre.oci.digest import Digest, InvalidDigest
from nacre.oci.manifest import Index, parse
from nacre.oci.reference import InvalidReference, checked_tag

_OLD_CLIENTS = ("linux", "amd64")


class Publishing:
    """The rules of manifests and tags."""

    def __init__(self, manifests: Manifests, *, rules: Rules) -> None:
        self._manifests = manifests
        self._rules = rules

    async def find(self, repository: int, reference: str | Digest) -> Stored:
        """Return the manifest of a tag or digest.

        Raises:
            ManifestUnknown: the repository has none.
        """
        if isinstance(reference, Digest):
            stored = await self._manifests.by_digest(repository, reference)
        else:
            stored = await self._manifests.by_tag(repository, reference)
        if stored is None:
            raise unknown(reference)
        return stored

    async def put(
        self, repository: Repository, manifest: Manifest, *, tags: Sequence[str], by: str
    ) -> None:
        """Record a manifest and let tags point to it; all or nothing.

        Raises:
            ManifestBlobUnknown, TagImmutable, QuotaExceeded: as `Manifests.put` says.
        """
        terms = self._rules.terms(repository, by)
        await self._manifests.put(repository.id, manifest, tags=tags, terms=terms)

    async def delete(self, repository: Repository, reference: str | Digest, *, by: str) -> None:
        """Delete a manifest with its tags, or just a tag; at once for everybody.

        Raises:
            ManifestUnknown: the repository has none.
            TagImmutable: a policy keeps the tag.
        """
        terms = self._rules.terms(repository, by)
        if isinstance(reference, Digest):
            was_there = await self._manifests.delete(repository.id, reference, terms=terms)
        else:
            was_there = await self._manifests.delete_tag(repository.id, reference, terms=terms)
        if not was_there:
            raise unknown(reference)

    async def for_old_clients(self, repository: int, stored: Stored) -> Stored | None:
        """Return the manifest of an index that clients get who know no indexes, if there is one.

        They are older than images for several platforms, so it is the one for linux/amd64.
        """
        document = parse(stored.raw, stored.media_type)
        if not isinstance(document, Index):
            return None
        for child in document.manifests:
            platform = child.platform
            if platform and (platform.os, platform.architecture) == _OLD_CLIENTS:
                return await self._manifests.by_digest(repository, child.digest)
        return None


def reference_of(text: str) -> str | Digest:
    """Read a tag or a digest.

    Raises:
        DigestInvalid: it has a colon and is no digest.
        TagInvalid: it is no tag.
    """
    try:
        return Digest(text) if ":" in text else checked_tag(text)
    except InvalidDigest as error:
        raise DigestInvalid(str(error), remedy=error.remedy) from None
    except InvalidReference as error:
        raise TagInvalid(str(error), remedy=error.remedy) from None


def unknown(reference: str) -> ManifestUnknown:
    """Return what is said of a manifest that the repository does not have."""
    return ManifestUnknown("manifest unknown", detail={"reference": reference})
