"""Uploads over HTTP. distribution-spec 1.1, "Pushing blobs", and its main branch.

Clients hold nothing but an id: state is in the records, so any process answers any request, and
an id is of no use to anybody but whoever started the upload.
"""

from __future__ import annotations

import re
from datetime import timedelta

from nacre.hub.api import body, ranges
from nacre.hub.api.blobs import digest_of
from nacre.hub.api.door import Door
from nacre.hub.api.reply import Headers, Reply, header
from nacre.hub.api.request import Request
from nacre.hub.auth.subject import Subject
from nacre.hub.errors import BlobUploadUnknown, DigestInvalid, SizeInvalid
from nacre.hub.registry.chunk import Chunk
from nacre.hub.registry.having import Having
from nacre.hub.registry.receiving import Receiving
from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.access import WRITE
from nacre.hub.repositories.repository import Repository
from nacre.oci import wire
from nacre.oci.digest import Digest, InvalidDigest, hasher
from nacre.oci.reference import is_repository_path

PUSH = frozenset({wire.PUSH})
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class UploadRoutes:
    """What ``/v2/<name>/blobs/uploads/`` and the addresses below it answer.

    Args:
        door: lets requests in.
        receiving: the rules of uploads.
        having: for mounts.
        rules: limits.
        patience: how long a client may send nothing.
    """

    def __init__(
        self, door: Door, receiving: Receiving, having: Having, *, rules: Rules, patience: timedelta
    ) -> None:
        self._door = door
        self._receiving = receiving
        self._having = having
        self._rules = rules
        self._patience = patience
        self._portions = body.Portions()

    async def start(self, request: Request, name: str, _none: str) -> Reply:
        """Answer POST: a mount, a whole blob, or the start of an upload."""
        admission = await self._door.admit(request, name, WRITE)
        mount, digest = request.value("mount"), request.value("digest")
        algorithm = _algorithm(request.value("digest-algorithm"))
        wanted = digest_of(digest) if digest is not None and mount is None else None
        repository = await self._door.made(admission)
        subject = admission.subject
        if mount is not None and await self._mounted(request, repository, subject, mount):
            return _created(name, digest_of(mount))
        if wanted is not None:
            chunk = self._chunk(request)
            blob = await self._receiving.whole(repository.id, subject.name, chunk, wanted)
            return _created(name, blob.digest)
        upload = await self._receiving.start(repository.id, subject.name, algorithm)
        headers = _standing(name, upload.id, 0)
        if self._rules.chunk_min:
            headers += (header(wire.CHUNK_MIN_LENGTH, str(self._rules.chunk_min)),)
        return Reply(202, headers)

    async def status(self, request: Request, name: str, upload: str) -> Reply:
        """Answer GET and HEAD: how far the upload has come."""
        repository, subject = await self._on(request, name, upload)
        found = await self._receiving.status(upload, repository=repository.id, owner=subject.name)
        return Reply(204, _standing(name, upload, found.offset))

    async def append(self, request: Request, name: str, upload: str) -> Reply:
        """Answer PATCH: a chunk, or a stream of unknown length."""
        repository, subject = await self._on(request, name, upload)
        chunk = self._chunk(request)
        offset = await self._receiving.append(
            upload, chunk, repository=repository.id, owner=subject.name
        )
        return Reply(202, _standing(name, upload, offset))

    async def finish(self, request: Request, name: str, upload: str) -> Reply:
        """Answer PUT: the last chunk, which may be empty, and the digest of all."""
        repository, subject = await self._on(request, name, upload)
        stated = request.value("digest")
        if stated is None:
            raise DigestInvalid("the digest of the blob is missing")
        blob = await self._receiving.finish(
            upload,
            self._chunk(request),
            digest_of(stated),
            repository=repository.id,
            owner=subject.name,
        )
        return _created(name, blob.digest)

    async def cancel(self, request: Request, name: str, upload: str) -> Reply:
        """Answer DELETE: the upload is over."""
        repository, subject = await self._on(request, name, upload)
        await self._receiving.cancel(upload, repository=repository.id, owner=subject.name)
        return Reply(204)

    async def _on(self, request: Request, name: str, upload: str) -> tuple[Repository, Subject]:
        repository, subject = await self._door.existing(request, name, PUSH)
        if not _ID.fullmatch(upload):
            raise BlobUploadUnknown("blob upload unknown to registry")
        return repository, subject

    async def _mounted(
        self, request: Request, repository: Repository, subject: Subject, text: str
    ) -> bool:
        """Mount a blob if that is possible, and never say why it is not.

        One whose bytes were lost is not: the client is to push them.
        """
        try:
            digest = Digest(text)
        except InvalidDigest:
            return False
        source = request.value("from")
        if source is not None and not is_repository_path(source):
            return False
        sources = await self._door.gate.sources(subject, source, digest)
        blob = await self._having.mount(repository.id, digest, sources=sources)
        return blob is not None and await self._receiving.has(blob)

    def _chunk(self, request: Request) -> Chunk:
        """Return the body as a chunk.

        Raises:
            SizeInvalid: its ``Content-Range`` and ``Content-Length`` differ.
        """
        gathered = body.buffers(request, self._portions, patience=self._patience)
        announced = ranges.announced(request.header(b"content-range"))
        length = request.length
        if announced is None:
            return Chunk(gathered, length=length)
        start, spanned = announced
        if start >= 0 and length is not None and length != spanned:
            raise SizeInvalid(f"Content-Range spans {spanned} bytes, Content-Length is {length}")
        return Chunk(gathered, start=start, length=spanned)


def _algorithm(text: str | None) -> str:
    """Return the algorithm that an upload is announced with.

    Raises:
        DigestInvalid: it is not a registered one.
    """
    try:
        hasher(text or "sha256")
    except InvalidDigest as error:
        raise DigestInvalid(str(error)) from None
    return text or "sha256"


def _created(name: str, digest: Digest) -> Reply:
    location = header("Location", wire.blob(name, digest))
    return Reply(201, (location, header(wire.CONTENT_DIGEST, digest)))


def _standing(name: str, upload: str, offset: int) -> Headers:
    return (
        header("Location", wire.uploads(name) + upload),
        header("Range", ranges.received(offset)),
        header(wire.UPLOAD_UUID, upload),
    )
