"""Manifests, tags and referrers as recorded.

Manifest bytes lie in the records, not among the blobs: whatever a client asks about manifests,
tags, referrers and listings is answered without touching where blobs are kept. A manifest is
recorded under the digest that it was pushed by; a tag points to a manifest by that digest, so a
manifest pushed as sha512 is answered as sha512.

``put`` is one transaction: the manifest, what it refers to, its tags and their history appear
together or not at all, and in it the presence of what it names is checked, so that no cleaning up
can come between. Deleting acts at once.

What keeps a manifest is a tag, a parent (an index of its repository that names it) or a subject in
its repository. One that never had any of them was pushed by its digest alone and stays. One that
lost the last of them can still be pulled by its digest and restored for some time, then it is
collected; to push it again makes it as if new. Deleting a manifest is for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest


class Reference(StrEnum):
    """What a manifest names, by how it is kept."""

    BLOB = "blob"  # a config or a layer
    MANIFEST = "manifest"  # a child of an index
    FOREIGN = "foreign"  # a layer that registries need not have


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest of a repository: the bytes as pushed, and what lookups need of them.

    Attributes:
        subject: the digest that it refers to, or None.
        artifact_type: as referrers lists show it (distribution-spec 1.1, "Listing Referrers").
        annotations: the manifest's own, as JSON text; "" when it has none.
        config_digest: of the config; None for an index.
    """

    digest: Digest
    media_type: str
    raw: bytes
    subject: Digest | None = None
    artifact_type: str = ""
    annotations: str = ""
    config_digest: Digest | None = None
    references: tuple[tuple[Descriptor, Reference], ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """What a pull is answered with: bytes, their type and digest."""

    digest: Digest
    media_type: str
    raw: bytes


class TagChange(StrEnum):
    """What happened to a tag."""

    CREATED = "created"
    MOVED = "moved"
    DELETED = "deleted"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class TagEvent:
    """One line of a tag's history: from which digest to which; None is "no tag"."""

    id: int
    tag: str
    change: TagChange
    before: Digest | None
    after: Digest | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and when it was last pushed and, as far as known, pulled."""

    name: str
    digest: Digest
    pushed_at: datetime
    pulled_at: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class Referrer:
    """A manifest that has another as its subject, as a list of referrers shows it."""

    digest: Digest
    media_type: str
    size: int
    artifact_type: str
    annotations: str


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a manifest is taken: of the repository's policy, and who pushes.

    Attributes:
        sparse: do not ask whether what it names is here.
        immutable: the pattern of tags that may not be moved; "" is none.
    """

    by: str
    sparse: bool = False
    immutable: str = ""


class Manifests(Protocol):
    """The records of manifests and tags. Each method is one transaction."""

    async def by_tag(self, repository: int, tag: str) -> Stored | None:
        """Return the manifest that a tag points to."""

    async def by_digest(self, repository: int, digest: Digest) -> Stored | None:
        """Return a manifest."""

    async def put(
        self, repository: int, manifest: Manifest, *, tags: Sequence[str], terms: Terms
    ) -> None:
        """Record a manifest and let the tags point to it.

        Repeating it changes nothing but when the tags were last pushed.

        Raises:
            ManifestBlobUnknown: it names what the repository does not have; ``detail`` is the list
                of their digests, in the order named.
            TagImmutable: a tag points elsewhere and may not be moved; nothing was recorded.
            QuotaExceeded: the namespace has no room; nothing was recorded.
        """

    async def delete(self, repository: int, digest: Digest, *, terms: Terms) -> bool:
        """Delete a manifest and the tags that point to it; False when it was not there.

        An index that names it stays, as if pushed sparse.

        Raises:
            TagImmutable: one of the tags may not be deleted, or one that may not be needs it
                through indexes; nothing was.
        """

    async def delete_tag(
        self, repository: int, tag: str, *, terms: Terms, expected: Digest | None = None
    ) -> bool:
        """Delete a tag, not its manifest; False when it was not there.

        With ``expected``, a tag that points elsewhere by now counts as not there.

        Raises:
            TagImmutable: it may not be deleted.
        """

    async def tags(self, repository: int, *, after: str, limit: int) -> Sequence[str]:
        """Return the names of tags in ASCII order, those after ``after``."""

    async def tag_list(self, repository: int) -> Sequence[Tag]:
        """Return all tags with what retention asks about, the latest pushed first, then by name.

        A tag that moves keeps its ``pulled_at``.
        """

    async def history(self, repository: int, tag: str | None, limit: int) -> Sequence[TagEvent]:
        """Return what happened to a tag, or to all, the latest first."""

    async def restore(self, repository: int, tag: str, digest: Digest, *, by: str) -> None:
        """Let a tag point again to a manifest that it once pointed to; no policy hinders it.

        Raises:
            ManifestUnknown: the manifest is gone for good, or the tag never pointed to it.
        """

    async def referrers(
        self, repository: int, subject: Digest, *, artifact_type: str, after: str, limit: int
    ) -> Sequence[Referrer]:
        """Return what refers to ``subject``, by digest, those after ``after``.

        ``artifact_type`` "" means any.
        """

    async def pulled(self, pulls: Sequence[tuple[int, str, datetime]]) -> None:
        """Note when tags (repository, tag) were pulled; gathered, so that pulls do not write.

        An earlier time than the one noted, and a tag that is gone, change nothing.
        """
