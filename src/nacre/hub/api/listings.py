"""Listings over HTTP: tags, referrers, the catalog, and Docker's search.

distribution-spec 1.1, "Listing Tags" and "Listing Referrers"; Docker Registry API for the others.
"""

from __future__ import annotations

import json
from functools import partial
from urllib.parse import urlencode

from nacre.hub.api.blobs import digest_of
from nacre.hub.api.door import Door
from nacre.hub.api.reply import Headers, Reply, header, in_json
from nacre.hub.api.request import Request
from nacre.hub.registry import listing
from nacre.hub.registry.manifests import Manifests, Referrer
from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.access import READ
from nacre.hub.repositories.repository import OFFICIAL, Repositories
from nacre.oci import mediatypes, wire

_FOUND = 25
_MOST_FOUND = 100
_LONGEST_SEARCH = 256


class ListingRoutes:
    """What the addresses of lists answer."""

    def __init__(
        self, door: Door, manifests: Manifests, repositories: Repositories, *, rules: Rules
    ) -> None:
        self._door = door
        self._manifests = manifests
        self._repositories = repositories
        self._page = rules.page

    async def tags(self, request: Request, name: str, _none: str) -> Reply:
        """Answer ``/v2/<name>/tags/list``, in ASCII order, after ``last``, at most ``n``."""
        repository, _ = await self._door.existing(request, name, READ)
        limit = self._limit(request)
        found = await listing.page(
            lambda after, most: self._manifests.tags(repository.id, after=after, limit=most),
            after=request.value("last") or "",
            limit=limit,
        )
        more = _link(wire.tags(name), n=str(limit), last=found.next) if found.next else ()
        return in_json(200, {"name": name, "tags": list(found.names)}, more)

    async def catalog(self, request: Request) -> Reply:
        """Answer ``/v2/_catalog``: what the asking person may pull from, and no more."""
        subject = await self._door.subject(request)
        self._door.gate.admit_catalog(subject)
        limit = self._limit(request)
        names = partial(self._repositories.names, subject.user)
        found = await listing.page(
            lambda after, most: names(after=after, limit=most),
            after=request.value("last") or "",
            limit=limit,
        )
        more = _link(wire.CATALOG, n=str(limit), last=found.next) if found.next else ()
        return in_json(200, {"repositories": list(found.names)}, more)

    async def referrers(self, request: Request, name: str, text: str) -> Reply:
        """Answer ``/v2/<name>/referrers/<digest>``; what nothing refers to has an empty list."""
        admission = await self._door.admit(request, name, READ)
        subject, wanted = digest_of(text), request.value("artifactType") or ""
        limit = self._limit(request) or 1
        found: tuple[list[Referrer], str] = [], ""
        if admission.repository is not None:
            some, last = await listing.referrers(
                self._manifests,
                admission.repository.id,
                subject,
                artifact_type=wanted,
                after=request.value("last") or "",
                limit=limit,
            )
            found = list(some), last
        headers: Headers = ((b"content-type", mediatypes.OCI_INDEX.encode()),)
        fields = {"n": str(limit), "last": found[1]}
        if wanted:
            headers += (header(wire.FILTERS_APPLIED, "artifactType"),)
            fields["artifactType"] = wanted
        if found[1]:
            headers += _link(wire.referrers(name, subject), **fields)
        return Reply(200, headers, _index(found[0]))

    async def search(self, request: Request) -> Reply:
        """Answer ``/v1/search`` as ``docker search`` reads it."""
        subject = await self._door.subject(request)
        query = (request.value("q") or "").removeprefix(f"{OFFICIAL}/")[:_LONGEST_SEARCH]
        limit = request.number("n", default=_FOUND, most=_MOST_FOUND)
        found = await self._repositories.search(subject.user, query, limit)
        results = [
            {
                "name": repository.name.removeprefix(f"{OFFICIAL}/"),
                "description": "",
                "star_count": 0,
                "is_official": repository.name.startswith(f"{OFFICIAL}/"),
                "is_automated": False,
            }
            for repository in found
        ]
        answer = {"num_results": len(results), "query": query, "results": results}
        return in_json(200, answer)

    def _limit(self, request: Request) -> int:
        return request.number("n", default=self._page, most=self._page)


def _link(path: str, **fields: str) -> Headers:
    """Return the header that leads to the next page (RFC 8288)."""
    return (header("Link", f'<{path}?{urlencode(fields)}>; rel="next"'),)


def _index(referrers: list[Referrer]) -> bytes:
    """Return the index of referrers; annotations are put in as they were recorded."""
    entries = ",".join(map(_entry, referrers))
    return (
        f'{{"schemaVersion":2,"mediaType":"{mediatypes.OCI_INDEX}","manifests":[{entries}]}}'
    ).encode()


def _entry(referrer: Referrer) -> str:
    stated: dict[str, object] = {
        "mediaType": referrer.media_type,
        "digest": referrer.digest,
        "size": referrer.size,
    }
    if referrer.artifact_type:
        stated["artifactType"] = referrer.artifact_type
    entry = json.dumps(stated, ensure_ascii=False, separators=(",", ":"))
    if referrer.annotations:
        entry = f'{entry[:-1]},"annotations":{referrer.annotations}}}'
    return entry
