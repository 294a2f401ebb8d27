"""A client of the distribution protocol that does as little as can be."""

from __future__ import annotations

import hashlib
import http.client
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from bench.kit.servers import PASSWORD, USER, Serving
from bench.kit.stopwatch import CommandFailed

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_BLOCK = 1 << 20

BASIC = {"Authorization": f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"}


def digest_of(data: bytes) -> str:
    """Return the digest of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Client:
    """One connection to a registry."""

    def __init__(self, serving: Serving, headers: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})
        self._connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=300)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | memoryview | None = None,
        headers: Mapping[str, str] | None = None,
        wanted: Iterable[int] = (200,),
    ) -> tuple[http.client.HTTPMessage, bytes]:
        """Send a request and return the head and body of its answer.

        Raises:
            CommandFailed: the status is another than what is wanted.
        """
        self._connection.request(method, path, body, {**self._headers, **(headers or {})})
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status not in wanted:
            raise CommandFailed(f"{method} {path}: {answer.status} {said[:300]!r}")
        return answer.headers, said

    def drain(self, path: str) -> int:
        """Get a path, throw its bytes away and return how many they were."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        if answer.status != 200:
            raise CommandFailed(f"GET {path}: {answer.status}")
        buffer, total = bytearray(_BLOCK), 0
        while count := answer.readinto(buffer):
            total += count
        return total

    def push(self, repository: str, data: bytes | memoryview, digest: str) -> None:
        """Push a blob as docker does: POST, PATCH of all, PUT."""
        head, _ = self.ask("POST", f"/v2/{repository}/blobs/uploads/", wanted=(202,))
        octets = {"Content-Type": "application/octet-stream"}
        head, _ = self.ask("PATCH", _path(head), body=data, headers=octets, wanted=(202,))
        place = _path(head)
        place += f"{'&' if '?' in place else '?'}digest={digest}"
        self.ask("PUT", place, wanted=(201,))

    def push_in_pieces(self, repository: str, pieces: Sequence[bytes]) -> None:
        """Push a blob that is given in pieces, as `push` does, without joining them."""
        running = hashlib.sha256()
        for piece in pieces:
            running.update(piece)
        head, _ = self.ask("POST", f"/v2/{repository}/blobs/uploads/", wanted=(202,))
        self._connection.request(
            "PATCH",
            _path(head),
            iter(pieces),
            {**self._headers, "Content-Length": str(sum(map(len, pieces)))},
        )
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != 202:
            raise CommandFailed(f"PATCH: {answer.status} {said[:300]!r}")
        self.ask("PUT", f"{_path(head)}?digest=sha256:{running.hexdigest()}", wanted=(201,))

    def put_image(self, repository: str, tag: str, seed: str) -> tuple[str, str]:
        """Push a small image; return the digests of its manifest and of a blob of 4 KiB."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "seed": seed}).encode()
        layer = hashlib.shake_128(seed.encode()).digest(4096)
        for blob in (config, layer):
            self.push(repository, blob, digest_of(blob))
        manifest = small_manifest(config, layer)
        path = f"/v2/{repository}/manifests/{tag}"
        self.ask("PUT", path, body=manifest, headers={"Content-Type": MANIFEST}, wanted=(201,))
        return digest_of(manifest), digest_of(layer)


def small_manifest(config: bytes, layer: bytes) -> bytes:
    """Return the manifest of an image of six layers, all the same."""
    one = {"mediaType": LAYER, "digest": digest_of(layer), "size": len(layer)}
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [one] * 6,
    }
    return json.dumps(document, indent=1).encode()


def token(serving: Serving, repository: str) -> dict[str, str]:
    """Return the header with a bearer token to pull from a repository of the hub."""
    with Client(serving, BASIC) as client:
        scope = f"repository:{repository}:pull"
        _, said = client.ask("GET", f"/token?service=nacre-hub&scope={scope}")
    return {"Authorization": f"Bearer {json.loads(said)['token']}"}


def _path(head: http.client.HTTPMessage) -> str:
    place = urlsplit(head["Location"])
    return f"{place.path}?{place.query}" if place.query else place.path
