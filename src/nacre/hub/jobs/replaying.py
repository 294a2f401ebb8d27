"""Reading a journal: what is there after all that it tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nacre.errors import Invalid
from nacre.hub.jobs.inventory import Recorded
from nacre.hub.jobs.journal import Entry, Told
from nacre.hub.repositories.repository import Visibility
from nacre.oci.digest import Digest

_UNKNOWN: Mapping[str, Any] = {"visibility": Visibility.PRIVATE, "policy": {}}
"""What is taken of a repository that the journal does not introduce: it must not leak."""


@dataclass
class Remembered:
    """A repository, with the digests of its blobs and manifests.

    Attributes:
        facts: of the repository itself, as they were told.
        manifests: to the position in the journal where each was told last.
        tags: to the digest, and who has pushed it.
    """

    facts: Mapping[str, Any] = field(default_factory=lambda: _UNKNOWN)
    links: set[Digest] = field(default_factory=set)
    manifests: dict[Digest, int] = field(default_factory=dict)
    tags: dict[str, tuple[Digest, str]] = field(default_factory=dict)


@dataclass
class Memory:
    """What a journal tells, the bytes of manifests left out.

    Attributes:
        unreadable: where the journal is damaged.
    """

    namespaces: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    repositories: dict[str, Remembered] = field(default_factory=dict)
    blobs: dict[Digest, Recorded] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def take(self, position: int, entry: Entry) -> None:
        """Take in the next entry."""
        facts = entry.facts
        match entry.kind:
            case Told.NAMESPACE:
                _set(self.namespaces, facts["name"], None if entry.is_removed else facts)
            case Told.REPOSITORY if entry.is_removed:
                self.repositories.pop(facts["name"], None)
            case Told.REPOSITORY:
                self._repository(facts["name"]).facts = facts
            case Told.BLOB:
                digest = Digest(facts["digest"])
                self.blobs[digest] = Recorded(digest, int(facts["size"]), str(facts["key"]))
            case Told.UNREADABLE:
                self.unreadable.append(facts["where"])
            case _ if entry.is_removed and facts["repository"] not in self.repositories:
                return
            case _:
                _take_part(self._repository(facts["repository"]), position, entry)

    def _repository(self, name: str) -> Remembered:
        return self.repositories.setdefault(name, Remembered())


def _take_part(repository: Remembered, position: int, entry: Entry) -> None:
    facts, is_removed = entry.facts, entry.is_removed
    if entry.kind is Told.TAG:
        tag = None if is_removed else (Digest(facts["digest"]), str(facts["by"]))
        _set(repository.tags, facts["name"], tag)
        return
    digest = Digest(facts["digest"])
    if entry.kind is Told.MANIFEST:
        _set(repository.manifests, digest, None if is_removed else position)
    elif is_removed:
        repository.links.discard(digest)
    else:
        repository.links.add(digest)


def _set(facts: dict[Any, Any], name: str, value: object) -> None:
    if value is None:
        facts.pop(name, None)
    else:
        facts[name] = value


def remember(journal: Iterable[Entry]) -> Memory:
    """Read a whole journal."""
    memory = Memory()
    for position, entry in enumerate(journal):
        try:
            memory.take(position, entry)
        except (Invalid, KeyError, TypeError, ValueError):
            memory.unreadable.append(f"a change of a {entry.kind} makes no sense")
    return memory


def manifests(journal: Iterable[Entry], memory: Memory) -> Iterator[tuple[str, Entry]]:
    """Go through the manifests that are there, once each, with the names of their repositories."""
    for position, entry in enumerate(journal):
        if entry.kind is Told.MANIFEST and not entry.is_removed:
            name = entry.facts.get("repository", "")
            repository = memory.repositories.get(name)
            digest = entry.facts.get("digest", "")
            if repository is not None and repository.manifests.get(digest) == position:
                yield name, entry
