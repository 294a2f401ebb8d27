"""What a hub takes and promises: the numbers and defaults that its owner may set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from nacre.hub.registry.blobs import GRACE
from nacre.hub.registry.manifests import Terms
from nacre.hub.repositories.repository import Repository, Visibility
from nacre.oci.strictjson import MANIFEST_LIMIT


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a hub, where a repository's policy states nothing.

    Attributes:
        manifest_limit: the largest manifest, in bytes.
        blob_limit: the largest blob, in bytes; 0 is no limit.
        chunk_min: what clients are told to send at least in a chunk, in bytes; 0 tells nothing.
        tags_limit: how many tags one push may set.
        page: the most names in one page of a listing.
        writers: how many uploads this process writes at the same time.
        grace: how long a blob that no manifest needs stays after somebody was told it is here.
        lease: how long a request holds an upload without renewing: as long as nobody can go on
            with an upload whose process was killed.
        visibility: of a repository that a push makes.
        sparse: namespaces whose manifests may name content that is not here.
        immutable: the pattern of tags that may not be moved; "" is none.
    """

    manifest_limit: int = MANIFEST_LIMIT
    blob_limit: int = 0
    chunk_min: int = 0
    tags_limit: int = 100
    page: int = 10_000
    writers: int = 200
    grace: timedelta = GRACE
    lease: timedelta = timedelta(seconds=30)
    visibility: Visibility = Visibility.PUBLIC
    sparse: frozenset[str] = frozenset()
    immutable: str = ""

    @property
    def life(self) -> timedelta:
        """How long a new link lives: more than the grace, so that few promises need a write."""
        return self.grace * 5 / 4

    def terms(self, repository: Repository, by: str) -> Terms:
        """Return the terms on which ``by`` changes manifests and tags of a repository."""
        namespace = repository.name.partition("/")[0]
        return Terms(
            by,
            sparse=repository.policy.sparse or namespace in self.sparse,
            immutable=self.immutable_in(repository),
        )

    def immutable_in(self, repository: Repository) -> str:
        """Return the pattern of tags of a repository that may not be moved; "" is none."""
        return repository.policy.immutable or self.immutable
