"""Blobs: every way to push one, whole and in part, with the right digest and with a wrong one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from nacre.oci.digest import Digest
from tests.compat.conformance.client import Answer, Client
from tests.compat.conformance.pushing import Blob, Pushing, Way, uploads
from tests.compat.conformance.report import Failed, Feature, Report, Unsupported, must

_RANGES = (
    ("500-1499", 500, 1500),
    ("500-", 500, 2048),
    ("-500", 1548, 2048),
    ("2000-5000", 2000, 2048),
)
_NOT_RANGES = ("500-0", "5000-10000")


class Blobs:
    """Checks on blobs, whose outcomes go to ``report``."""

    def __init__(self, client: Client, report: Report) -> None:
        self._client = client
        self._report = report
        self._pushing = Pushing(client)
        self._data = ""
        self._next_ways: Iterator[Way] = cycle(self._pushing.ways())

    def run(self, algorithm: str, first: str, second: str) -> None:
        """Check all that can be done to blobs of an algorithm in two repositories."""
        self._data = f"blobs {algorithm}"
        with self._report.check("get missing", Feature.BLOB_GET, data=self._data):
            absent = Blob.random(8, algorithm)
            self._client.ask("GET", _at(first, absent.digest)).expect(404)
        self.delete(first, absent.digest, data=self._data)
        for way in self._pushing.ways():
            self._round(first, Blob.random(512, algorithm), way)
        in_three = self._pushing.smallest_chunk(first) * 3 - 5
        for way in self._pushing.chunked_ways():
            self._round(first, Blob.random(in_three, algorithm), way)
        self._mounts(first, second, algorithm)
        self._cancelled(first)
        self._ranges(first, Blob.random(2048, algorithm))
        for content in (b"", b"{}"):
            for way in self._pushing.ways():
                self._round(first, Blob(Digest.of(content, algorithm), content), way)
        for way in (*self._pushing.ways(), *self._pushing.chunked_ways()):
            self._corrupt(first, Blob.random(in_three, algorithm).corrupt, way)

    def push(self, name: str, digest: Digest, content: bytes, *, data: str) -> None:
        """Push a blob of a data set, each in another way than the one before."""
        way = next(self._next_ways)
        with self._report.check(f"push blob: {way.what}", way.feature, data=data):
            way.push(name, Blob(digest, content))

    def pull(self, name: str, digest: Digest, content: bytes, *, data: str) -> None:
        """Look at a blob and get it."""
        for method, body in (("HEAD", b""), ("GET", content)):
            feature = Feature.BLOB_HEAD if method == "HEAD" else Feature.BLOB_GET
            with self._report.check(f"blob {method}", feature, data=data):
                answer = self._client.ask(method, _at(name, digest)).expect(200)
                answer.expect_header("Docker-Content-Digest", digest)
                answer.expect_header("Content-Length", str(len(content))).expect_body(body)

    def delete(self, name: str, digest: Digest, *, data: str) -> None:
        """Delete a blob, which is gone at once; it need not have been there."""
        target = _at(name, digest)
        with self._report.check("blob delete", Feature.BLOB_DELETE, data=data):
            if self._client.ask("DELETE", target).expect(202, 404, 405).status == 405:
                raise Unsupported("405")
        with self._report.check("blob is gone", Feature.BLOB_DELETE_ATOMIC, data=data):
            self._client.ask("HEAD", target).expect(404)

    def _round(self, name: str, blob: Blob, way: Way) -> None:
        """Push a blob, pull it and delete it."""
        what = f"{way.what} of {len(blob.content)} bytes"
        with self._report.check(what, way.feature, Feature.BLOB_PUSH, data=self._data):
            way.push(name, blob)
        self.pull(name, blob.digest, blob.content, data=self._data)
        self.delete(name, blob.digest, data=self._data)

    def _mounts(self, first: str, second: str, algorithm: str) -> None:
        for source in (second, ""):
            blob = Blob.random(512, algorithm)
            self.push(second, blob.digest, blob.content, data=self._data)
            self._round(first, blob, self._pushing.mount(source, is_there=True))
            self.delete(second, blob.digest, data=self._data)
        missing = Blob.random(512, algorithm)
        self._round(first, missing, self._pushing.mount(second, is_there=False))

    def _cancelled(self, name: str) -> None:
        features = (Feature.BLOB_PUSH, Feature.BLOB_CANCEL)
        with self._report.check("cancel", *features, data=self._data):
            location = self._client.ask("POST", uploads(name)).expect(202).location()
            self._client.ask("DELETE", location).expect(204)

    def _ranges(self, name: str, blob: Blob) -> None:
        self.push(name, blob.digest, blob.content, data=self._data)
        for stated, start, stop in _RANGES:
            with self._report.check(f"range {stated}", Feature.BLOB_GET_RANGE, data=self._data):
                answer = self._range(name, blob, stated).expect(206)
                answer.expect_body(blob.content[start:stop])
                answer.expect_header("Content-Length", str(stop - start))
                span = f"bytes {start}-{stop - 1}/{len(blob.content)}"
                answer.expect_header("Content-Range", span)
        for stated in _NOT_RANGES:
            with self._report.check(f"range {stated}", Feature.BLOB_GET_RANGE, data=self._data):
                self._range(name, blob, stated).expect(416)
        self.delete(name, blob.digest, data=self._data)

    def _range(self, name: str, blob: Blob, stated: str) -> Answer:
        fields = [("Range", f"bytes={stated}")]
        answer = self._client.ask("GET", _at(name, blob.digest), fields=fields)
        if answer.status == 200:
            raise Unsupported("all of it was sent")
        return answer

    def _corrupt(self, name: str, blob: Blob, way: Way) -> None:
        with self._report.check(f"bad digest: {way.what}", way.feature, data=self._data):
            try:
                way.push(name, blob)
            except Failed as error:
                must(" answers 400," in str(error), f"refused in another way: {error}")
            else:
                raise Failed("content with another digest was taken")


def _at(name: str, digest: Digest) -> str:
    return f"/v2/{name}/blobs/{digest}"
