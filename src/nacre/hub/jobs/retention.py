"""Retention: which tags a repository keeps."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from nacre.hub.registry.manifests import Manifests, Tag, Terms
from nacre.hub.repositories.policy import Policy, Retention
from nacre.hub.repositories.repository import Repositories, Repository

BY = "retention"
"""Who has deleted a tag, in its history, when retention has."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A tag that retention does not keep."""

    repository: Repository
    tag: Tag


def not_kept(tags: Sequence[Tag], policy: Policy, now: datetime) -> list[Tag]:
    """Return the tags that no rule keeps, in the order given; without rules there are none.

    Tags that may not change are kept in any case.
    """
    retention = policy.retention
    if retention.is_empty:
        return []
    latest = sorted(tags, key=lambda tag: (tag.pushed_at, tag.name), reverse=True)
    kept = {tag.name for tag in latest[: retention.last or 0]}
    return [
        tag
        for tag in tags
        if tag.name not in kept
        and not policy.keeps_still(tag.name)
        and not _is_kept(tag, retention, now)
    ]


def _is_kept(tag: Tag, retention: Retention, now: datetime) -> bool:
    if retention.pushed_within is not None and now - tag.pushed_at <= retention.pushed_within:
        return True
    # A tag that nobody has pulled yet was last of interest when it was pushed.
    pulled = tag.pulled_at or tag.pushed_at
    if retention.pulled_within is not None and now - pulled <= retention.pulled_within:
        return True
    return retention.matching is not None and re.fullmatch(retention.matching, tag.name) is not None


class Retainer:
    """Applies the retention policies of all repositories.

    A deleted tag can be brought back for as long as the hub keeps deleted tags.
    """

    def __init__(
        self, repositories: Repositories, manifests: Manifests, *, now: Callable[[], datetime]
    ) -> None:
        self._repositories = repositories
        self._manifests = manifests
        self._now = now

    async def doomed(self, name: str) -> list[Doomed]:
        """Return what would be deleted now in a repository; changes nothing."""
        standing = await self._repositories.standing(name, None)
        repository = standing.repository
        if repository is None or repository.policy.retention.is_empty:
            return []
        tags = await self._manifests.tag_list(repository.id)
        return [Doomed(repository, tag) for tag in not_kept(tags, repository.policy, self._now())]

    async def retain(self, name: str) -> list[Doomed]:
        """Delete what a repository does not keep, and return it."""
        deleted = []
        for each in await self.doomed(name):
            terms = Terms(by=BY, immutable=each.repository.policy.immutable)
            if await self._manifests.delete_tag(each.repository.id, each.tag.name, terms=terms):
                deleted.append(each)
        return deleted
