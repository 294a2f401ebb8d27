"""Blobs over HTTP: pull, look and delete. distribution-spec 1.1, "Pulling blobs"."""

from __future__ import annotations

from nacre.hub.api import ranges
from nacre.hub.api.conditional import has_already
from nacre.hub.api.door import Door
from nacre.hub.api.manifests import DELETE
from nacre.hub.api.reply import Bytes, Reply, header
from nacre.hub.api.request import Request
from nacre.hub.errors import DigestInvalid
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.having import Having, unknown
from nacre.hub.repositories.access import READ
from nacre.oci.digest import Digest, InvalidDigest

_ALWAYS = (
    (b"content-type", b"application/octet-stream"),
    (b"accept-ranges", b"bytes"),
    # Who may read it is decided anew each time, so only the reader's own cache may keep it.
    (b"cache-control", b"private, max-age=31536000, immutable"),
    # A blob is whatever somebody has pushed: no browser should show it as a page of this site.
    (b"content-disposition", b"attachment"),
)


class BlobRoutes:
    """What ``/v2/<name>/blobs/<digest>`` answers."""

    def __init__(self, door: Door, having: Having, place: BytePlace) -> None:
        self._door = door
        self._having = having
        self._place = place

    async def get(self, request: Request, name: str, text: str) -> Reply:
        """Answer GET, of all or of a range (RFC 9110 section 14)."""
        repository, _ = await self._door.existing(request, name, READ)
        digest = digest_of(text)
        blob = await self._having.find(repository.id, digest)
        tag = f'"{digest}"'
        headers = (
            *_ALWAYS,
            (b"docker-content-digest", digest.encode()),
            (b"etag", tag.encode()),
        )
        if has_already(request.joined(b"if-none-match"), tag):
            return Reply(304, headers)
        wanted = request.header(b"range")
        if wanted is not None and request.header(b"if-range") in {None, tag}:
            part = ranges.requested(wanted, blob.size)
            if part is not None:
                first, last = part
                where = header("Content-Range", f"bytes {first}-{last}/{blob.size}")
                content = Bytes(self._place, blob.key, blob.size, first, last - first + 1)
                return Reply(206, (*headers, where), content=content)
        content = Bytes(self._place, blob.key, blob.size, 0, blob.size)
        return Reply(200, headers, content=content)

    async def head(self, request: Request, name: str, text: str) -> Reply:
        """Answer HEAD, which a push relies on: the blob stays for a while now.

        A blob whose bytes were lost is none: whoever has them pushes them again, which heals it.
        One look at the file tells, as the delivery of a GET takes too. But a place that is not
        there as a whole is 503: that passes, and nobody should push everything again.
        """
        repository, _ = await self._door.existing(request, name, READ)
        digest = digest_of(text)
        blob = await self._having.promised(repository.id, digest)
        if self._place.size(blob.key) != blob.size:
            raise unknown(digest)
        tag = f'"{digest}"'
        headers = (
            *_ALWAYS,
            (b"docker-content-digest", digest.encode()),
            (b"etag", tag.encode()),
        )
        if has_already(request.joined(b"if-none-match"), tag):
            return Reply(304, headers)
        return Reply(200, headers, content=Bytes(self._place, blob.key, blob.size, 0, blob.size))

    async def delete(self, request: Request, name: str, text: str) -> Reply:
        """Answer DELETE."""
        repository, _ = await self._door.existing(request, name, DELETE)
        await self._having.unlink(repository, digest_of(text))
        return Reply(202)


def digest_of(text: str) -> Digest:
    """Read a digest.

    Raises:
        DigestInvalid: it is none, or not of a registered algorithm.
    """
    try:
        return Digest(text)
    except InvalidDigest as error:
        raise DigestInvalid(str(error), remedy=error.remedy) from None
