"""Manifests over HTTP: pull, push and delete.

distribution-spec 1.1, "Pulling manifests", "Pushing Manifests", "Deleting Manifests"; its main
branch for several tags at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from nacre.hub.api import body
from nacre.hub.api.accepting import accepts, knows_no_indexes
from nacre.hub.api.conditional import has_already
from nacre.hub.api.door import Door
from nacre.hub.api.reply import Headers, Reply, header
from nacre.hub.api.request import QueryInvalid, Request
from nacre.hub.errors import TagInvalid
from nacre.hub.registry import documents, publishing
from nacre.hub.registry.manifests import Stored
from nacre.hub.registry.publishing import Publishing
from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.access import READ, WRITE
from nacre.oci import wire
from nacre.oci.digest import Digest

DELETE = frozenset({wire.DELETE})


class ManifestRoutes:
    """What ``/v2/<name>/manifests/<reference>`` answers.

    Args:
        door: lets requests in.
        publishing: the rules of manifests.
        rules: limits.
        patience: how long a client may send nothing.
        pulled: is told of each pull by tag: the repository's id and the tag.
    """

    def __init__(
        self,
        door: Door,
        publishing: Publishing,
        *,
        rules: Rules,
        patience: timedelta,
        pulled: Callable[[int, str], None],
    ) -> None:
        self._door = door
        self._publishing = publishing
        self._rules = rules
        self._patience = patience
        self._pulled = pulled

    async def get(self, request: Request, name: str, text: str) -> Reply:
        """Answer GET and HEAD."""
        repository, _ = await self._door.existing(request, name, READ)
        reference = _asked(text)
        stored = await self._publishing.find(repository.id, reference)
        if not isinstance(reference, Digest):
            stored = await self._suitable(repository.id, stored, request, reference)
            self._pulled(repository.id, reference)
        tag = f'"{stored.digest}"'
        headers = (
            (b"content-type", stored.media_type.encode()),
            (b"docker-content-digest", stored.digest.encode()),
            (b"etag", tag.encode()),
        )
        if has_already(request.joined(b"if-none-match"), tag):
            return Reply(304, headers[1:])
        return Reply(200, headers, stored.raw)

    async def put(self, request: Request, name: str, text: str) -> Reply:
        """Answer PUT."""
        admission = await self._door.admit(request, name, WRITE)
        reference = publishing.reference_of(text)
        more = self._more_tags(request)
        raw = await body.whole(request, limit=self._rules.manifest_limit, patience=self._patience)
        stated = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
        expected = reference if isinstance(reference, Digest) else None
        manifest = documents.read(raw, stated, expected)
        tags = list(dict.fromkeys(more if expected else (reference, *more)))
        repository = await self._door.made(admission)
        by = admission.subject.name
        await self._publishing.put(repository, manifest, tags=tags, by=by)
        headers: Headers = (
            header("Location", wire.manifest(name, manifest.digest)),
            header(wire.CONTENT_DIGEST, manifest.digest),
        )
        if manifest.subject is not None:
            headers += (header(wire.SUBJECT, manifest.subject),)
        if more:
            headers += (header(wire.PUSHED_TAGS, ", ".join(tags)),)
        headers += tuple(
            header("Warning", f'299 - "{warning}"') for warning in documents.warnings(manifest)
        )
        return Reply(201, headers)

    async def delete(self, request: Request, name: str, text: str) -> Reply:
        """Answer DELETE: of a tag, or of a manifest with all its tags."""
        repository, subject = await self._door.existing(request, name, DELETE)
        await self._publishing.delete(repository, _asked(text), by=subject.name)
        return Reply(202)

    def _more_tags(self, request: Request) -> Sequence[str]:
        """Return the tags of the query.

        Raises:
            QueryInvalid: there are more than this hub sets at once.
            TagInvalid: one breaks the grammar.
        """
        tags = request.values("tag")
        if len(tags) > self._rules.tags_limit:
            raise QueryInvalid(f"at most {self._rules.tags_limit} tags can be pushed at once")
        for tag in tags:
            if isinstance(publishing.reference_of(tag), Digest):
                raise TagInvalid("a digest cannot be a tag")
        return tags

    async def _suitable(
        self, repository: int, stored: Stored, request: Request, reference: str
    ) -> Stored:
        """Return what a client takes of what a tag stands for.

        What is asked for by digest is sent whatever the client says: there is nothing else.

        Raises:
            ManifestUnknown: there is nothing that it takes.
        """
        accept = request.joined(b"accept")
        if accepts(accept, stored.media_type):
            return stored
        found: Stored | None = None
        if knows_no_indexes(accept):
            found = await self._publishing.for_old_clients(repository, stored)
        if found is None or not accepts(accept, found.media_type):
            raise publishing.unknown(reference)
        return found


def _asked(text: str) -> str | Digest:
    """Read the reference of something that should be there.

    Raises:
        ManifestUnknown: it is no tag, so nothing can have it.
        DigestInvalid: it is a malformed digest.
    """
    try:
        return publishing.reference_of(text)
    except TagInvalid:
        raise publishing.unknown(text[:128]) from None
