"""A small real registry on loopback, with faults on demand and a record of every request.

    with registry_server() as server:
        digest = server.add_blob("team/app", b"…")
        server.fail("GET", "/blobs/", DropAfter(1000), times=2)
        …                                   # talk to server.host
        assert server.seen("GET", "/blobs/")[0].sent == 1000

It keeps everything in memory and speaks the distribution specification, with token or basic
authentication when asked to, over TLS when given a context.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest
from tests.servers.registry_handler import RegistryHandler
from tests.servers.registry_values import Fault, Options, Seen, Upload


@dataclass(slots=True)
class _Planned:
    method: str
    part: str
    fault: Fault
    times: int


class RegistryServer(ThreadingHTTPServer):
    """The server; its public attributes may be read and changed between requests."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, options: Options, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), RegistryHandler)
        self.options = options
        self.tls = tls
        self.requests: list[Seen] = []
        self.connections = 0
        self.blobs: dict[str, bytes] = {}
        self.repositories: dict[str, set[str]] = {}
        self.manifests: dict[tuple[str, str], tuple[bytes, str]] = {}
        self.uploads: dict[str, Upload] = {}
        self.tokens: dict[str, tuple[str, ...]] = {}
        self.lock = threading.RLock()
        self._faults: list[_Planned] = []
        self._open: set[socket.socket] = set()

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """Scheme and host."""
        return f"{'https' if self.tls else 'http'}://{self.host}"

    @property
    def open_connections(self) -> int:
        """How many connections there are now."""
        with self.lock:
            return len(self._open)

    def fail(self, method: str, part: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next ``times`` requests of a method whose path contains ``part`` go wrong."""
        with self.lock:
            self._faults.append(_Planned(method, part, fault, times))

    def settle(self) -> None:
        """Wait until all connections have ended, and so all requests are on record."""
        while True:
            with self.lock:
                if not self._open:
                    return
            time.sleep(0.005)

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        with self.lock:
            self._faults.clear()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Use up one planned fault."""
        with self.lock:
            for planned in self._faults:
                if planned.times and planned.method == method and planned.part in path:
                    planned.times -= 1
                    return planned.fault
        return None

    def seen(self, method: str = "", part: str = "") -> list[Seen]:
        """Return the requests of a method whose path contains ``part``, in order."""
        with self.lock:
            return [
                request
                for request in self.requests
                if method in ("", request.method) and part in request.path
            ]

    def add_blob(self, repository: str, data: bytes, digest: str = "") -> Digest:
        """Put a blob into a repository, under its own digest or a wrong one."""
        name = Digest(digest) if digest else Digest.of(data)
        with self.lock:
            self.blobs[name] = data
            self.repositories.setdefault(repository, set()).add(name)
        return name

    def add_manifest(self, repository: str, tag: str, document: Manifest | Index) -> Digest:
        """Put a manifest into a repository under a tag ("" for none) and its digest."""
        return self.add_raw_manifest(repository, tag, document.raw, document.media_type)

    def add_raw_manifest(self, repository: str, tag: str, raw: bytes, media_type: str) -> Digest:
        """Put any bytes into a repository as a manifest."""
        digest = Digest.of(raw)
        with self.lock:
            self.repositories.setdefault(repository, set())
            for reference in {tag, str(digest)} - {""}:
                self.manifests[repository, reference] = (raw, media_type)
        return digest

    def tags(self, repository: str) -> list[str]:
        """Return a repository's tags, sorted."""
        with self.lock:
            return sorted(
                reference
                for name, reference in self.manifests
                if name == repository and ":" not in reference
            )

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; the handshake is left to the connection's own thread."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self.lock:
            self.connections += 1
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that ends."""
        with self.lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: broken connections are what these tests are about."""

    def drop_connections(self) -> None:
        """Close all connections that are open now."""
        with self.lock:
            connections, self._open = self._open, set()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def registry_server(
    options: Options | None = None, *, tls: ssl.SSLContext | None = None
) -> Iterator[RegistryServer]:
    """Run a registry until the block ends."""
    server = RegistryServer(options or Options(), tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.drop_connections()
        server.server_close()
        thread.join()
