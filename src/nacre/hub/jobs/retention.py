"""Retention: which tags a repository keeps."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from nacre.hub.jobs.inventory import Inventory
from nacre.hub.registry.manifests import Manifests, Tag, Terms
from nacre.hub.repositories.policy import Policy, Retention
from nacre.hub.repositories.repository import Repository

_PAGE = 1000

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

    Args:
        inventory: of all repositories.
        manifests: with their tags.
        immutable: the pattern of tags that the hub keeps where a repository states none.
        now: the clock, with its zone.
    """

    def __init__(
        self,
        inventory: Inventory,
        manifests: Manifests,
        *,
        immutable: str = "",
        now: Callable[[], datetime],
    ) -> None:
        self._inventory = inventory
        self._manifests = manifests
        self._immutable = immutable
        self._now = now

    async def repositories(self) -> AsyncIterator[Repository]:
        """Go through the repositories that have a policy."""
        after = ""
        while page := await self._inventory.repositories(after=after, limit=_PAGE):
            after = page[-1].name
            for repository in page:
                if not repository.policy.retention.is_empty:
                    yield repository

    async def doomed(self, repository: Repository) -> list[Doomed]:
        """Return what would be deleted now in a repository; changes nothing."""
        policy = self._policy(repository)
        if policy.retention.is_empty:
            return []
        tags = await self._manifests.tag_list(repository.id)
        return [Doomed(repository, tag) for tag in not_kept(tags, policy, self._now())]

    async def retain(self, repository: Repository) -> list[Doomed]:
        """Delete what a repository does not keep, and return it.

        A tag that somebody moves meanwhile stays.
        """
        terms = Terms(by=BY, immutable=self._policy(repository).immutable)
        return [
            each
            for each in await self.doomed(repository)
            if await self._manifests.delete_tag(
                repository.id, each.tag.name, terms=terms, expected=each.tag.digest
            )
        ]

    def _policy(self, repository: Repository) -> Policy:
        policy = repository.policy
        return replace(policy, immutable=policy.immutable or self._immutable)
