"""All ways to push a blob."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from nacre.oci.digest import Digest
from tests.compat.conformance.client import Answer, Client
from tests.compat.conformance.report import Feature, Unsupported, must

_SMALLEST_CHUNK = 1024
_OCTETS = ("Content-Type", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Blob:
    """What is pushed as ``digest``, which need not be that of the content."""

    digest: Digest
    content: bytes

    @classmethod
    def random(cls, size: int, algorithm: str) -> Blob:
        """Make a blob that was never there before."""
        content = os.urandom(size)
        return cls(Digest.of(content, algorithm), content)

    @property
    def corrupt(self) -> Blob:
        """The same digest with other content."""
        return Blob(self.digest, self.content + b"oh no")


@dataclass(frozen=True, slots=True)
class Way:
    """How to push: ``push`` takes a repository's name and fails the check unless the blob is there.

    Attributes:
        what: it is, in a word or two.
        feature: that it needs.
        push: does it.
    """

    what: str
    feature: Feature
    push: Callable[[str, Blob], None]


class Pushing:
    """Pushes blobs by a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def ways(self) -> tuple[Way, ...]:
        """Return the ways that any blob can be pushed in."""
        return (
            Way("post and put", Feature.BLOB_POST_PUT, self._post_put),
            Way("post", Feature.BLOB_POST_ONLY, self._post_only),
            Way("stream", Feature.BLOB_STREAM, self._stream),
            Way("chunks", Feature.BLOB_CHUNKED, self._in_chunks),
        )

    def chunked_ways(self) -> tuple[Way, ...]:
        """Return the ways to push in chunks: the last in a PUT or not, some astray or not."""
        return tuple(
            self._chunked(last_in_put=last_in_put, astray=astray)
            for last_in_put in (False, True)
            for astray in (False, True)
        )

    def mount(self, source: str, *, is_there: bool) -> Way:
        """Return the mount from a repository, or from any when ``source`` is ""."""

        def push(name: str, blob: Blob) -> None:
            query = f"?mount={blob.digest}" + (f"&from={source}" if source else "")
            answer = self._client.ask("POST", uploads(name) + query).expect(201, 202)
            if answer.status == 201:
                must(is_there, "what is not there cannot be mounted")
                self._pushed(answer, blob)
                return
            self._pushed(self._put(answer, blob), blob)
            if is_there:
                raise Unsupported("the blob had to be sent")

        feature = Feature.BLOB_MOUNT if source else Feature.BLOB_MOUNT_ANONYMOUS
        return Way(f"mount from {source}, is there: {is_there}", feature, push)

    def smallest_chunk(self, name: str) -> int:
        """Return how many bytes a chunk must have."""
        answer = self._client.ask("POST", uploads(name), length=0).expect(202)
        return max(int(answer.header("OCI-Chunk-Min-Length") or 0), _SMALLEST_CHUNK)

    def _post_put(self, name: str, blob: Blob) -> None:
        answer = self._client.ask("POST", uploads(name)).expect(202)
        self._pushed(self._put(answer, blob), blob)

    def _put(self, begun: Answer, blob: Blob) -> Answer:
        target = begun.location(digest=blob.digest)
        return self._client.ask(
            "PUT", target, blob.content, length=len(blob.content), fields=[_OCTETS]
        )

    def _post_only(self, name: str, blob: Blob) -> None:
        target = f"{uploads(name)}?digest={blob.digest}"
        answer = self._client.ask(
            "POST", target, blob.content, length=len(blob.content), fields=[_OCTETS]
        )
        if answer.status == 202:
            self._pushed(self._put(answer, blob), blob)
            raise Unsupported("the content of a POST is not taken")
        self._pushed(answer, blob)

    def _stream(self, name: str, blob: Blob) -> None:
        begun = self._client.ask("POST", uploads(name), length=0).expect(202)
        target = begun.location()
        sent = self._client.ask("PATCH", target, blob.content, fields=[_OCTETS]).expect(202)
        self._pushed(self._end(sent, blob), blob)

    def _in_chunks(self, name: str, blob: Blob) -> None:
        self._chunked(last_in_put=False, astray=False).push(name, blob)

    def _chunked(self, *, last_in_put: bool, astray: bool) -> Way:
        def push(name: str, blob: Blob) -> None:
            answer = self._client.ask("POST", uploads(name), length=0).expect(202)
            total = len(blob.content)
            stated = int(answer.header("OCI-Chunk-Min-Length") or 0)
            size = min(max(total // 3 + 1, stated, _SMALLEST_CHUNK), total)
            for at in range(0, total, size or 1):
                if astray:
                    elsewhere = at + size if at + size < total else 0
                    is_put = last_in_put and elsewhere + size >= total
                    answer = self._refused(answer, blob, elsewhere, size, is_put=is_put)
                    _check_standing(answer, at)
                is_put = last_in_put and at + size >= total
                answer = self._chunk(answer, blob, at, size, is_put=is_put)
                if is_put:
                    break
                answer.expect(202)
            else:
                answer = self._end(answer, blob)
            self._pushed(answer, blob)

        what = f"chunks, last in PUT: {last_in_put}, some astray: {astray}"
        return Way(what, Feature.BLOB_CHUNKED, push)

    def _chunk(self, begun: Answer, blob: Blob, at: int, size: int, *, is_put: bool) -> Answer:
        target = begun.location(digest=blob.digest) if is_put else begun.location()
        piece = blob.content[at : at + size]
        fields = [_OCTETS, ("Content-Range", f"{at}-{at + len(piece) - 1}")]
        method = "PUT" if is_put else "PATCH"
        return self._client.ask(method, target, piece, length=len(piece), fields=fields)

    def _refused(self, begun: Answer, blob: Blob, at: int, size: int, *, is_put: bool) -> Answer:
        """Send a chunk whose turn it is not, and return where the upload stands then."""
        refusal = self._chunk(begun, blob, at, size, is_put=is_put).expect(416)
        return self._client.ask("GET", refusal.url).expect(204)

    def _end(self, begun: Answer, blob: Blob) -> Answer:
        return self._client.ask("PUT", begun.location(digest=blob.digest), fields=[_OCTETS])

    def _pushed(self, answer: Answer, blob: Blob) -> None:
        """Check that a blob is where the reply says that it is."""
        answer.expect(201).expect_header("Docker-Content-Digest", blob.digest)
        self._client.ask("GET", answer.location()).expect(200).expect_body(blob.content)


def uploads(name: str) -> str:
    """Return where uploads to a repository begin."""
    return f"/v2/{name}/blobs/uploads/"


def _check_standing(answer: Answer, received: int) -> None:
    stated = answer.header("Range")
    must(stated.startswith("0-") and stated[2:].isdigit(), f"the Range is {stated!r}")
    must(not received or stated == f"0-{received - 1}", f"the Range is {stated!r} at {received}")
