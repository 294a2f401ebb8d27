"""Blobs: every way to push one, whole and in part, with the right digest and with a wrong one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import cycle

from nacre.oci.digest import Digest
from tests.compat.conformance.client import Answer, Client
from tests.compat.conformance.report import Failed, Feature, Report, Unsupported, must

_SMALLEST_CHUNK = 1024
_OCTETS = ("Content-Type", "application/octet-stream")
_RANGES = (
    ("500-1499", 500, 1500),
    ("500-", 500, 2048),
    ("-500", 1548, 2048),
    ("2000-5000", 2000, 2048),
)
_NOT_RANGES = ("500-0", "5000-10000")

Push = Callable[[str, Digest, bytes], None]


class Blobs:
    """Checks on blobs, whose outcomes go to ``report``."""

    def __init__(self, client: Client, report: Report) -> None:
        self._client = client
        self._report = report
        self._data = ""
        self._ways: Iterator[tuple[Feature, Push]] = cycle(self._all_ways())

    def run(self, algorithm: str, first: str, second: str) -> None:
        """Check all that can be done to blobs of an algorithm in two repositories."""
        self._data = f"blobs {algorithm}"
        with self._report.check("get missing", Feature.BLOB_GET, data=self._data):
            absent = Digest.of(os.urandom(8), algorithm)
            self._client.ask("GET", _blob(first, absent)).expect(404)
        for feature, push in self._all_ways():
            self._round(feature.value, first, *_made(512, algorithm), feature, push)
        smallest = max(_SMALLEST_CHUNK, self._smallest_chunk(first))
        self._chunked(first, algorithm, smallest * 3 - 5)
        self._mounts(first, second, algorithm)
        self._cancelled(first)
        self._ranges(first, *_made(2048, algorithm))
        for content in (b"", b"{}"):
            digest = Digest.of(content, algorithm)
            for feature, push in self._all_ways():
                self._round(f"{content!r} {feature.value}", first, digest, content, feature, push)
        self._corrupt(first, algorithm, smallest * 3 - 5)

    def push(self, name: str, digest: Digest, content: bytes, *, data: str) -> None:
        """Push a blob of a data set, each in another way than the one before."""
        feature, push = next(self._ways)
        with self._report.check(f"push blob: {feature.value}", feature, data=data):
            push(name, digest, content)

    def pull(self, name: str, digest: Digest, content: bytes, *, data: str) -> None:
        """Look at a blob and get it."""
        for method, body in (("HEAD", b""), ("GET", content)):
            feature = Feature.BLOB_HEAD if method == "HEAD" else Feature.BLOB_GET
            with self._report.check(f"blob {method}", feature, data=data):
                answer = self._client.ask(method, _blob(name, digest)).expect(200)
                answer.expect_header("Docker-Content-Digest", digest)
                answer.expect_header("Content-Length", str(len(content))).expect_body(body)

    def delete(self, name: str, digest: Digest, *, data: str) -> None:
        """Delete a blob, which is gone at once."""
        target = _blob(name, digest)
        with self._report.check("blob delete", Feature.BLOB_DELETE, data=data):
            if self._client.ask("DELETE", target).expect(202, 404, 405).status == 405:
                raise Unsupported("405")
        with self._report.check("blob is gone", Feature.BLOB_DELETE_ATOMIC, data=data):
            self._client.ask("HEAD", target).expect(404)

    def _all_ways(self) -> tuple[tuple[Feature, Push], ...]:
        return (
            (Feature.BLOB_POST_PUT, self._post_put),
            (Feature.BLOB_POST_ONLY, self._post_only),
            (Feature.BLOB_STREAM, self._stream),
            (Feature.BLOB_CHUNKED, self._in_chunks),
        )

    def _round(
        self, what: str, name: str, digest: Digest, content: bytes, feature: Feature, push: Push
    ) -> None:
        with self._report.check(what, feature, Feature.BLOB_PUSH, data=self._data):
            push(name, digest, content)
        self.pull(name, digest, content, data=self._data)
        self.delete(name, digest, data=self._data)

    def _chunked(self, name: str, algorithm: str, size: int) -> None:
        for last_in_put in (False, True):
            for out_of_order in (False, True):

                def push(
                    name: str,
                    digest: Digest,
                    content: bytes,
                    last_in_put: bool = last_in_put,
                    out_of_order: bool = out_of_order,
                ) -> None:
                    answer = self._chunks(name, digest, content, last_in_put, out_of_order)
                    self._pushed(answer, digest, content)

                what = f"chunked last_in_put={last_in_put} out_of_order={out_of_order}"
                made = _made(size, algorithm)
                self._round(what, name, *made, Feature.BLOB_CHUNKED, push)

    def _mounts(self, first: str, second: str, algorithm: str) -> None:
        for feature, source in (
            (Feature.BLOB_MOUNT, second),
            (Feature.BLOB_MOUNT_ANONYMOUS, ""),
        ):
            digest, content = _made(512, algorithm)
            self.push(second, digest, content, data=self._data)
            self._round(
                feature.value, first, digest, content, feature, self._mounting(source, is_there=True)
            )
            self.delete(second, digest, data=self._data)
        missing = _made(512, algorithm)
        push = self._mounting(second, is_there=False)
        self._round("mount missing", first, *missing, Feature.BLOB_MOUNT, push)

    def _mounting(self, source: str, *, is_there: bool) -> Push:
        def push(name: str, digest: Digest, content: bytes) -> None:
            query = f"?mount={digest}" + (f"&from={source}" if source else "")
            answer = self._client.ask("POST", _uploads(name) + query).expect(201, 202)
            if answer.status == 202:
                answer = self._put(answer, digest, content)
                self._pushed(answer, digest, content)
                if is_there:
                    raise Unsupported("the blob had to be sent")
            else:
                must(is_there, "what is not there cannot be mounted")
                self._pushed(answer, digest, content)

        return push

    def _cancelled(self, name: str) -> None:
        features = (Feature.BLOB_PUSH, Feature.BLOB_CANCEL)
        with self._report.check("cancel", *features, data=self._data):
            location = self._client.ask("POST", _uploads(name)).expect(202).location()
            self._client.ask("DELETE", location).expect(204)

    def _ranges(self, name: str, digest: Digest, content: bytes) -> None:
        self.push(name, digest, content, data=self._data)
        for stated, start, stop in _RANGES:
            with self._report.check(f"range {stated}", Feature.BLOB_GET_RANGE, data=self._data):
                answer = self._range(name, digest, stated).expect(206)
                answer.expect_body(content[start:stop])
                answer.expect_header("Content-Length", str(stop - start))
                span = f"bytes {start}-{stop - 1}/{len(content)}"
                answer.expect_header("Content-Range", span)
        for stated in _NOT_RANGES:
            with self._report.check(f"range {stated}", Feature.BLOB_GET_RANGE, data=self._data):
                self._range(name, digest, stated).expect(416)
        self.delete(name, digest, data=self._data)

    def _range(self, name: str, digest: Digest, stated: str) -> Answer:
        fields = [("Range", f"bytes={stated}")]
        answer = self._client.ask("GET", _blob(name, digest), fields=fields)
        if answer.status == 200:
            raise Unsupported("all of it was sent")
        return answer

    def _corrupt(self, name: str, algorithm: str, size: int) -> None:
        for feature, push in self._all_ways():
            digest, content = _made(size, algorithm)
            with self._report.check(f"bad digest: {feature.value}", feature, data=self._data):
                self._refused(push, name, digest, content + b"oh no")
        for last_in_put in (False, True):
            what = f"bad digest: chunked last_in_put={last_in_put}"
            with self._report.check(what, Feature.BLOB_CHUNKED, data=self._data):
                digest, content = _made(size, algorithm)
                self._chunks(name, digest, content + b"oh no", last_in_put, False).expect(400)

    def _refused(self, push: Push, name: str, digest: Digest, content: bytes) -> None:
        try:
            push(name, digest, content)
        except Failed as error:
            must(" answers 400," in str(error), f"refused in another way: {error}")
        else:
            raise Failed("content with another digest was taken")

    def _post_put(self, name: str, digest: Digest, content: bytes) -> None:
        answer = self._client.ask("POST", _uploads(name)).expect(202)
        self._pushed(self._put(answer, digest, content), digest, content)

    def _put(self, begun: Answer, digest: Digest, content: bytes) -> Answer:
        target = begun.location(digest=digest)
        return self._client.ask("PUT", target, content, length=len(content), fields=[_OCTETS])

    def _post_only(self, name: str, digest: Digest, content: bytes) -> None:
        target = f"{_uploads(name)}?digest={digest}"
        answer = self._client.ask("POST", target, content, length=len(content), fields=[_OCTETS])
        if answer.status == 202:
            self._pushed(self._put(answer, digest, content), digest, content)
            raise Unsupported("the content of a POST is not taken")
        self._pushed(answer, digest, content)

    def _stream(self, name: str, digest: Digest, content: bytes) -> None:
        begun = self._client.ask("POST", _uploads(name), length=0).expect(202)
        sent = self._client.ask("PATCH", begun.location(), content, fields=[_OCTETS]).expect(202)
        answer = self._client.ask("PUT", sent.location(digest=digest), fields=[_OCTETS])
        self._pushed(answer, digest, content)

    def _in_chunks(self, name: str, digest: Digest, content: bytes) -> None:
        answer = self._chunks(name, digest, content, last_in_put=False, out_of_order=False)
        self._pushed(answer, digest, content)

    def _smallest_chunk(self, name: str) -> int:
        answer = self._client.ask("POST", _uploads(name), length=0)
        return int(answer.header("OCI-Chunk-Min-Length") or 0)

    def _chunks(
        self, name: str, digest: Digest, content: bytes, last_in_put: bool, out_of_order: bool
    ) -> Answer:
        """Send a blob in some three chunks and return what the final PUT is answered with."""
        answer = self._client.ask("POST", _uploads(name), length=0).expect(202)
        smallest = max(int(answer.header("OCI-Chunk-Min-Length") or 0), _SMALLEST_CHUNK)
        size = min(max(len(content) // 3 + 1, smallest), len(content))
        sent = 0
        while sent < len(content):
            if out_of_order:
                ahead = sent + size if sent + size < len(content) else 0
                answer = self._astray(answer, digest, content, ahead, size, last_in_put, sent)
            is_last = sent + size >= len(content)
            if is_last and last_in_put:
                return self._chunk("PUT", answer.location(digest=digest), content, sent, size)
            answer = self._chunk("PATCH", answer.location(), content, sent, size).expect(202)
            sent += size
        return self._client.ask("PUT", answer.location(digest=digest), fields=[_OCTETS])

    def _astray(
        self,
        begun: Answer,
        digest: Digest,
        content: bytes,
        at: int,
        size: int,
        last_in_put: bool,
        sent: int,
    ) -> Answer:
        """Send a chunk that it is not the turn of, and find out where the upload stands."""
        is_put = last_in_put and at + size >= len(content)
        target = begun.location(digest=digest) if is_put else begun.location()
        self._chunk("PUT" if is_put else "PATCH", target, content, at, size).expect(416)
        status = self._client.ask("GET", target).expect(204)
        stated = status.header("Range")
        must(stated.startswith("0-") and stated[2:].isdigit(), f"the Range is {stated!r}")
        must(not sent or stated == f"0-{sent - 1}", f"the Range is {stated!r} after {sent} bytes")
        return status

    def _chunk(self, method: str, target: str, content: bytes, at: int, size: int) -> Answer:
        piece = content[at : at + size]
        fields = [_OCTETS, ("Content-Range", f"{at}-{at + len(piece) - 1}")]
        return self._client.ask(method, target, piece, length=len(piece), fields=fields)

    def _pushed(self, answer: Answer, digest: Digest, content: bytes) -> None:
        """Check that a blob is where the reply says that it is."""
        answer.expect(201).expect_header("Docker-Content-Digest", digest)
        self._client.ask("GET", answer.location()).expect(200).expect_body(content)


def _made(size: int, algorithm: str) -> tuple[Digest, bytes]:
    content = os.urandom(size)
    return Digest.of(content, algorithm), content


def _blob(name: str, digest: Digest) -> str:
    return f"/v2/{name}/blobs/{digest}"


def _uploads(name: str) -> str:
    return f"/v2/{name}/blobs/uploads/"
