"""The registry's answers; see `registry_server`."""

from __future__ import annotations

import json
import re
import ssl
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from nacre.errors import NacreError
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.manifest import parse
from tests.servers.registry_auth import authorize, issue_token
from tests.servers.registry_values import (
    Answer,
    DropAfter,
    DropUpload,
    Extend,
    Fault,
    Patch,
    Seen,
    Upload,
)

if TYPE_CHECKING:
    from tests.servers.registry_server import RegistryServer

_ROUTE = re.compile(r"/v2/(.+?)/(manifests|blobs|tags|referrers)/(.+)")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_BLOCK = 256 * 1024
_PACED_BLOCK = 64 * 1024


class _Dropped(Exception):
    """The connection is to be closed without further ado."""


class RegistryHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024
    server: RegistryServer

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def log_message(self, *args: Any) -> None:
        pass

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (_Dropped, OSError):
            self.close_connection = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    # -- one request ---------------------------------------------------------------------------

    def _serve(self) -> None:
        self._received = self._sent = self._status = 0
        self._body: bytes | None = None
        self._recorded = False
        self._fault: Fault | None = self.server.fault_for(self.command, self.path)
        try:
            self._route()
            self._discard_body()
        finally:
            self._record()

    def _route(self) -> None:
        if isinstance(self._fault, DropUpload):
            self._drop_upload(self._fault.received)
        if isinstance(self._fault, Answer):
            self._discard_body()
            self.reply(self._fault.status, self._fault.body, self._fault.headers)
            return
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/token":
            issue_token(self, self.body())
            return
        match = _ROUTE.fullmatch(parts.path)
        if not authorize(self, match[1] if match else ""):
            return
        if parts.path == "/v2/":
            self.reply(200, b"{}")
        elif parts.path == "/v2/_catalog":
            names = json.dumps({"repositories": sorted(self.server.repositories)})
            self.reply(200, names.encode())
        elif parts.path == "/v1/search":
            self._search()
        elif match:
            getattr(self, f"_{match[2]}")(match[1], match[3])
        else:
            self.refuse(404, "NAME_UNKNOWN")

    def _search(self) -> None:
        found = [
            {"name": name, "description": f"about {name}", "star_count": 3, "is_official": True}
            for name in sorted(self.server.repositories)
            if self.query["q"] in name
        ]
        self.reply(200, json.dumps({"results": found[: int(self.query["n"])]}).encode())

    # -- manifests -----------------------------------------------------------------------------

    def _manifests(self, repository: str, reference: str) -> None:
        if self.command in ("GET", "HEAD"):
            kept = self.server.manifests.get((repository, reference))
            if kept is None:
                self.refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
                return
            raw, media_type = kept
            digest = reference if ":" in reference else Digest.of(raw)
            headers = {"Content-Type": media_type, "Docker-Content-Digest": str(digest)}
            self.reply(200, raw, headers)
        elif self.command == "PUT":
            self._put_manifest(repository, reference)
        elif self.command == "DELETE":
            self._delete_manifest(repository, reference)

    def _put_manifest(self, repository: str, reference: str) -> None:
        raw = self.body()
        media_type = self.headers["Content-Type"]
        try:
            document = parse(raw, media_type)
        except NacreError as error:
            self.refuse(400, "MANIFEST_INVALID", str(error))
            return
        if ":" in reference and Digest.of(raw, Digest(reference).algorithm) != reference:
            self.refuse(400, "DIGEST_INVALID")
            return
        tag = "" if ":" in reference else reference
        digest = self.server.add_raw_manifest(repository, tag, raw, media_type)
        if ":" in reference:
            self.server.manifests[repository, reference] = (raw, media_type)
        headers = {"Location": f"/v2/{repository}/manifests/{digest}"}
        headers["Docker-Content-Digest"] = reference if ":" in reference else digest
        if document.subject and self.server.options.referrers:
            headers["OCI-Subject"] = document.subject.digest
        self.reply(201, b"", headers)

    def _delete_manifest(self, repository: str, reference: str) -> None:
        if not self.server.options.deletes:
            self.refuse(405, "UNSUPPORTED")
        elif self.server.manifests.pop((repository, reference), None) is None:
            self.refuse(404, "MANIFEST_UNKNOWN")
        else:
            self.reply(202)

    def _tags(self, repository: str, _rest: str) -> None:
        if repository not in self.server.repositories:
            self.refuse(404, "NAME_UNKNOWN", "repository name not known to registry")
            return
        tags = [tag for tag in self.server.tags(repository) if tag > self.query.get("last", "")]
        size = self.server.options.tag_page
        headers = {}
        if size and len(tags) > size:
            tags = tags[:size]
            next_page = f"/v2/{repository}/tags/list?n={size}&last={tags[-1]}"
            headers["Link"] = f'<{next_page}>; rel="next"'
        self.reply(200, json.dumps({"name": repository, "tags": tags}).encode(), headers)

    def _referrers(self, repository: str, digest: str) -> None:
        if not self.server.options.referrers:
            self.reply(404, b"404 page not found")
            return
        found = {}
        for (name, reference), (raw, media_type) in list(self.server.manifests.items()):
            document = parse(raw, media_type)
            about = document.subject.digest if document.subject else ""
            if name == repository and ":" in reference and about == digest:
                found[reference] = {
                    **document.descriptor.to_json(),
                    "artifactType": document.artifact_type,
                    "annotations": dict(document.annotations),
                }
        index = {
            "schemaVersion": 2,
            "mediaType": mediatypes.OCI_INDEX,
            "manifests": list(found.values()),
        }
        self.reply(200, json.dumps(index).encode(), {"Content-Type": mediatypes.OCI_INDEX})

    # -- blobs ---------------------------------------------------------------------------------

    def _blobs(self, repository: str, rest: str) -> None:
        if rest.startswith("uploads/"):
            self._upload(repository, rest.removeprefix("uploads/"))
        elif rest not in self.server.repositories.get(repository, ()):
            self.refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
        elif self.command == "DELETE":
            self._delete_blob(repository, rest)
        else:
            self._send_blob(self.server.blobs[rest], rest)

    def _delete_blob(self, repository: str, digest: str) -> None:
        if not self.server.options.deletes:
            self.refuse(405, "UNSUPPORTED")
            return
        self.server.repositories[repository].discard(digest)
        self.reply(202)

    def _send_blob(self, data: bytes, digest: str) -> None:
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if not match or not self.server.options.ranges:
            self.reply(200, data, headers, chunked=self.server.options.chunked_blobs)
            return
        first, last = int(match[1]), min(int(match[2] or len(data)), len(data) - 1)
        if first > last:
            self.refuse(416, "RANGE_INVALID")
            return
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        self.reply(206, memoryview(data)[first : last + 1], headers)

    # -- uploads -------------------------------------------------------------------------------

    def _upload(self, repository: str, name: str) -> None:
        if not name:
            self._start_upload(repository)
            return
        upload = self.server.uploads.get(name)
        if upload is None or upload.repository != repository:
            self._discard_body()
            self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
        elif self.command == "DELETE":
            del self.server.uploads[name]
            self.reply(204)
        elif self.command == "GET":
            self.reply(204, b"", self._progress(repository, name))
        else:
            self._receive(repository, name)

    def _start_upload(self, repository: str) -> None:
        digest, origin = self.query.get("mount"), self.query.get("from", "")
        options = self.server.options
        if digest and options.mounts and digest in self.server.repositories.get(origin, ()):
            self.server.add_blob(repository, self.server.blobs[digest], digest)
            self.reply(201, b"", {"Location": f"/v2/{repository}/blobs/{digest}"})
            return
        name = uuid.uuid4().hex
        self.server.uploads[name] = Upload(repository)
        headers = self._progress(repository, name)
        if options.least_chunk:
            headers["OCI-Chunk-Min-Length"] = str(options.least_chunk)
        self.reply(202, b"", headers)

    def _progress(self, repository: str, name: str) -> dict[str, str]:
        length = len(self.server.uploads[name].data)
        base = self.server.url if self.server.options.absolute_locations else ""
        return {
            "Location": f"{base}/v2/{repository}/blobs/uploads/{name}?state={length}",
            "Range": f"0-{max(length - 1, 0)}",
        }

    def _receive(self, repository: str, name: str) -> None:
        upload, options = self.server.uploads[name], self.server.options
        length = int(self.headers.get("Content-Length", 0))
        if options.largest_request and length > options.largest_request:
            self.close_connection = True
            self.refuse(413, "SIZE_INVALID", "request entity too large")
            return
        span = re.fullmatch(r"(\d+)-(\d+)", self.headers.get("Content-Range", ""))
        wrong_start = span and int(span[1]) != len(upload.data)
        if wrong_start or int(self.query.get("state", 0)) != len(upload.data):
            self._discard_body()
            self.refuse(416, "BLOB_UPLOAD_INVALID", "out of order")
            return
        if upload.short and length:
            self._discard_body()
            self.refuse(400, "SIZE_INVALID", "an earlier chunk was too short")
            return
        upload.short = self.command == "PATCH" and length < options.least_chunk
        self._read_into(upload.data, length)
        if self.command == "PATCH":
            self.reply(202, b"", self._progress(repository, name))
            return
        self._finish(repository, name)

    def _finish(self, repository: str, name: str) -> None:
        upload = self.server.uploads.pop(name)
        digest = Digest(self.query["digest"])
        if Digest.of(upload.data, digest.algorithm) != digest:
            self.refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            return
        self.server.add_blob(repository, bytes(upload.data), digest)
        self.reply(201, b"", {"Location": f"/v2/{repository}/blobs/{digest}"})

    def _drop_upload(self, count: int) -> None:
        name = urlsplit(self.path).path.rpartition("/")[2]
        data = self.server.uploads[name].data
        self._read_into(data, count)
        raise _Dropped

    # -- bytes ---------------------------------------------------------------------------------

    def body(self) -> bytes:
        """Return the request's body."""
        if self._body is None:
            data = bytearray()
            self._read_into(data, int(self.headers.get("Content-Length", 0)))
            self._body = bytes(data)
        return self._body

    def refuse(
        self, status: int, code: str, message: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with the specification's error body."""
        errors = {"errors": [{"code": code, "message": message, "detail": None}]}
        self.reply(status, json.dumps(errors).encode(), headers)

    def reply(
        self,
        status: int,
        body: bytes | memoryview = b"",
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
    ) -> None:
        """Answer, with the planned fault if there is one."""
        fault = self._fault
        fields: dict[str, str | None] = {"Content-Length": str(len(body)), **(headers or {})}
        if isinstance(fault, Patch):
            fields |= fault.headers
        if isinstance(fault, Extend):
            body, chunked = bytes(body) + fault.extra, True
        if chunked:
            fields |= {"Content-Length": None, "Transfer-Encoding": "chunked"}
        self._status = status
        self.send_response(status)
        for name, value in fields.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        limit = fault.sent if isinstance(fault, DropAfter) else len(body)
        self._send_body(memoryview(body)[:limit], chunked=chunked)
        if isinstance(fault, DropAfter):
            self.wfile.flush()
            raise _Dropped
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _send_body(self, body: memoryview, *, chunked: bool) -> None:
        pace = self.server.options.pace
        size = _PACED_BLOCK if pace else _BLOCK
        for start in range(0, len(body), size):
            block = body[start : start + size]
            time.sleep(pace)
            self._sent += len(block)
            if self._sent == len(body):
                self._record()
            if chunked:
                self.wfile.write(b"%x\r\n" % len(block))
            self.wfile.write(block)
            if chunked:
                self.wfile.write(b"\r\n")

    def _read_into(self, data: bytearray, count: int) -> None:
        buffer = memoryview(bytearray(min(_BLOCK, max(count, 1))))
        while count:
            got = self.rfile.readinto(buffer[:count])
            if not got:
                raise _Dropped
            data += buffer[:got]
            count -= got
            self._received += got

    def _discard_body(self) -> None:
        left = int(self.headers.get("Content-Length", 0)) - self._received
        if left > 0 and not self.close_connection:
            self._read_into(bytearray(), left)

    def _record(self) -> None:
        """Put the request on record, once, before its reply is whole: whoever has it finds it."""
        if self._recorded:
            return
        self._recorded = True
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self._received, self._sent, self._status)
        with self.server.lock:
            self.server.requests.append(seen)
