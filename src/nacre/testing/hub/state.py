"""What all nouns of the in-memory records share: rows, and what follows from changing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nacre.hub.accounts.user import User
from nacre.hub.auth.keys import SigningKey
from nacre.hub.errors import NameUnknown, QuotaExceeded, TagImmutable
from nacre.hub.jobs.queue import Kind
from nacre.hub.registry.blobs import GRACE, Blob
from nacre.hub.registry.manifests import Manifest, Reference, Tag, TagEvent
from nacre.hub.registry.uploads import Upload
from nacre.hub.repositories.policy import Policy
from nacre.hub.repositories.repository import Namespace, Repository, Role, Visibility
from nacre.oci.digest import Digest

TRASH_DELAY = timedelta(hours=1)
"""How long bytes outlive the last record of them, for readers that are not done."""

Entry = tuple[Kind, int, str]
"""An entry of the queue: the repository or 0, and the digest or ""."""


@dataclass
class ManifestRow:
    """A manifest; ``lost_at`` is when it lost its last tag, parent and subject, if it ever did."""

    manifest: Manifest
    is_held: bool = False
    lost_at: datetime | None = None

    def names(self, *kinds: Reference) -> frozenset[Digest]:
        """Return the digests that it names in one of these ways."""
        return frozenset(named.digest for named, kind in self.manifest.references if kind in kinds)


@dataclass
class NamespaceRow:
    """A namespace and who has a role in it."""

    id: int
    name: str
    visibility: Visibility
    policy: Policy = field(default_factory=Policy)
    quota: int | None = None
    roles: dict[str, Role] = field(default_factory=dict)


@dataclass
class RepositoryRow:
    """A repository and all that is only its own; ``links`` are to when each expires."""

    id: int
    name: str
    visibility: Visibility
    policy: Policy = field(default_factory=Policy)
    roles: dict[str, Role] = field(default_factory=dict)
    links: dict[Digest, datetime | None] = field(default_factory=dict)
    manifests: dict[Digest, ManifestRow] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    events: list[TagEvent] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """The name of its namespace."""
        return self.name.partition("/")[0]

    def needs(self, digest: Digest) -> bool:
        """Say whether one of its manifests names this blob."""
        return any(
            digest in row.names(Reference.BLOB, Reference.FOREIGN)
            for row in self.manifests.values()
        )

    @property
    def has_content(self) -> bool:
        """Whether something was completed here and is still there."""
        return bool(self.links or self.manifests)

    def tags_needing(self, digest: Digest, *kinds: Reference) -> list[str]:
        """Return the tags that lead, through indexes, to a manifest that names this so."""
        naming = [held for held in self.manifests.values() if digest in held.names(*kinds)]
        found: set[str] = set()
        for held in naming:
            parent = held.manifest.digest
            found.update(tag.name for tag in self.tags.values() if tag.digest == parent)
            found.update(self.tags_needing(parent, Reference.MANIFEST))
        return sorted(found)

    def check_not_needed(self, digest: Digest, *kinds: Reference, immutable: str) -> None:
        """Return if no immutable tag needs what is to be deleted.

        Raises:
            TagImmutable: one does.
        """
        for tag in self.tags_needing(digest, *kinds):
            if Policy(immutable=immutable).keeps_still(tag):
                raise TagImmutable(f"the tag {tag} needs it and may not be changed")

    def holds(self, row: ManifestRow) -> bool:
        """Say whether a manifest has a tag, a parent or a subject here."""
        digest = row.manifest.digest
        return (
            any(tag.digest == digest for tag in self.tags.values())
            or any(digest in parent.names(Reference.MANIFEST) for parent in self.manifests.values())
            or row.manifest.subject in self.manifests
        )


@dataclass
class UploadRow:
    """An upload and which request has it, until when."""

    upload: Upload
    holder: str = ""
    held_until: datetime | None = None


@dataclass
class State:
    """All tables of a hub."""

    now: Callable[[], datetime]
    undo_for: timedelta
    last_id: int = 0
    users: dict[str, User] = field(default_factory=dict)
    namespaces: dict[str, NamespaceRow] = field(default_factory=dict)
    repositories: dict[int, RepositoryRow] = field(default_factory=dict)
    blobs: dict[Digest, Blob] = field(default_factory=dict)
    uploads: dict[str, UploadRow] = field(default_factory=dict)
    queue: dict[Entry, datetime] = field(default_factory=dict)
    trash: dict[str, datetime] = field(default_factory=dict)
    leases: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    keys: list[SigningKey] = field(default_factory=list)

    def new_id(self) -> int:
        """Return a number that was never given out."""
        self.last_id += 1
        return self.last_id

    def named(self, name: str) -> RepositoryRow | None:
        """Return the repository of a name."""
        return next((row for row in self.repositories.values() if row.name == name), None)

    def there(self, repository: int) -> RepositoryRow:
        """Return a repository that something is to be written to.

        Raises:
            NameUnknown: it was removed.
        """
        if (row := self.repositories.get(repository)) is None:
            raise NameUnknown("the repository was removed")
        return row

    def shown(self, row: RepositoryRow) -> Repository:
        """Return a repository as others see it."""
        namespace = self.namespaces[row.namespace]
        policy = row.policy.filled_from(namespace.policy)
        return Repository(row.id, row.name, namespace.id, row.visibility, policy)

    def shown_namespace(self, row: NamespaceRow) -> Namespace:
        """Return a namespace as others see it."""
        used = self.used(row.name)
        return Namespace(row.id, row.name, row.visibility, row.policy, row.quota, used)

    def within(self, namespace: str) -> Iterator[RepositoryRow]:
        """Go through the repositories of a namespace."""
        return (row for row in self.repositories.values() if row.namespace == namespace)

    def used(self, namespace: str) -> int:
        """Return how many bytes a namespace holds."""
        digests = {digest for row in self.within(namespace) for digest in row.links}
        manifests = (held for row in self.within(namespace) for held in row.manifests.values())
        return sum(self.blobs[digest].size for digest in digests) + sum(
            len(held.manifest.raw) for held in manifests
        )

    def check_room(self, namespace: str, size: int) -> None:
        """Return if a namespace may hold more.

        Raises:
            QuotaExceeded: it may not.
        """
        quota = self.namespaces[namespace].quota
        if size and quota is not None and self.used(namespace) + size > quota:
            raise QuotaExceeded(f"the namespace {namespace} may hold {quota} bytes and is full")

    def blob(self, row: RepositoryRow, digest: Digest) -> Blob:
        """Return a blob as a repository has it."""
        blob = self.blobs[digest]
        return Blob(digest, blob.size, blob.key, row.links[digest])

    def drop(self, key: str) -> None:
        """Let the bytes of a key go when nobody can be reading them any more."""
        self.trash[key] = self.now() + TRASH_DELAY

    def link(self, row: RepositoryRow, digest: Digest, until: datetime) -> None:
        """Let a repository have a blob, until ``until`` at least."""
        if digest not in row.links:
            row.links[digest] = None if row.needs(digest) else until
        else:
            self.renew(row, digest, until)
        self.settle(row, self.now())

    def renew(self, row: RepositoryRow, digest: Digest, until: datetime) -> None:
        """Let a link not expire before ``until``."""
        expires = row.links[digest]
        if expires is not None:
            row.links[digest] = max(expires, until)

    def unlink(self, row: RepositoryRow, digest: Digest, now: datetime) -> None:
        """Take a blob from a repository."""
        del row.links[digest]
        self.queue[Kind.BLOB, 0, digest] = now

    def remove(self, row: RepositoryRow) -> None:
        """Remove a repository and all that is only its own."""
        for digest in list(row.links):
            self.unlink(row, digest, self.now())
        for held in list(self.uploads.values()):
            if held.upload.repository == row.id:
                del self.uploads[held.upload.id]
                self.drop(held.upload.key)
        del self.repositories[row.id]

    def settle(self, row: RepositoryRow, now: datetime) -> None:
        """Work out anew what a repository's manifests and links live on."""
        for digest, manifest in row.manifests.items():
            is_held = row.holds(manifest)
            if is_held:
                manifest.lost_at = None
            elif manifest.is_held:
                manifest.lost_at = now
                self.queue[Kind.MANIFEST, row.id, digest] = now + self.undo_for
            manifest.is_held = is_held
        for digest, expires in row.links.items():
            if row.needs(digest):
                row.links[digest] = None
            else:
                row.links[digest] = expires or now + GRACE
                self.queue[Kind.LINK, row.id, digest] = expires or now + GRACE
