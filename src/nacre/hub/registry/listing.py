"""Listings a page at a time: tags, repositories, referrers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from nacre.hub.registry.manifests import Manifests, Referrer
from nacre.oci.digest import Digest
from nacre.oci.strictjson import MANIFEST_LIMIT

_FIRST = 16
_MOST = 512
_QUICK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """Some names in order; ``next`` is the last of them when there are more, else ""."""

    names: Sequence[str]
    next: str


async def page(
    fetch: Callable[[str, int], Awaitable[Sequence[str]]], *, after: str, limit: int
) -> Page:
    """Return up to ``limit`` names after ``after``; ``fetch`` gets where to begin and how many."""
    if limit == 0:
        return Page((), "")
    names = await fetch(after, limit + 1)
    if len(names) <= limit:
        return Page(names, "")
    return Page(names[:limit], names[limit - 1])


async def referrers(
    manifests: Manifests,
    repository: int,
    subject: Digest,
    *,
    artifact_type: str,
    after: str,
    limit: int,
) -> tuple[Sequence[Referrer], str]:
    """Return a page of referrers, and the digest of the last when there are more, else "".

    A page is one index, so it stays below the size of a manifest, whatever annotations its
    entries have; it is read in steps, so that memory does too.
    """
    found: list[Referrer] = []
    size, step = 0, _FIRST
    while True:
        some = await manifests.referrers(
            repository,
            subject,
            artifact_type=artifact_type,
            after=found[-1].digest if found else after,
            limit=step,
        )
        for referrer in some:
            size += _size(referrer)
            if found and (size > MANIFEST_LIMIT or len(found) == limit):
                return found, found[-1].digest
            found.append(referrer)
        if len(some) < step:
            return found, ""
        step = min(_MOST, step * 2) if size < _QUICK else _FIRST


def _size(referrer: Referrer) -> int:
    texts = (referrer.media_type, referrer.digest, referrer.artifact_type, referrer.annotations)
    return 100 + sum(map(len, texts))
