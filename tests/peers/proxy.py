"""A TCP proxy in front of a server that counts what passes, and can cut or delay it."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Direction = Literal["sent", "received"]
_CHUNK = 256 * 1024


class CountingProxy:
    """What passed between the clients of ``host`` and the server behind it, in bytes.

    ``sent`` counts client to server, ``received`` server to client, both over all connections
    and including everything on the wire (headers, TLS records). ``delay`` is slept before each
    chunk of at most 256 KiB is passed on, in seconds.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.sent = 0
        self.received = 0
        self.connections = 0
        self.delay = 0.0
        self._lock = threading.Lock()
        self._allowance: dict[Direction, int] = {}
        self._open: set[socket.socket] = set()

    def cut_after(self, size: int, direction: Direction = "received") -> None:
        """Let ``size`` more bytes pass in a direction, then end the connection that carries them.

        It happens once; other connections and later ones are left alone.
        """
        with self._lock:
            self._allowance[direction] = size

    def cut_now(self) -> None:
        """End every connection that is open now."""
        with self._lock:
            for end in self._open:
                _shut(end)

    def joined(self, client: socket.socket, server: socket.socket) -> None:
        """Pass bytes both ways between two connected sockets until both have ended."""
        with self._lock:
            self.connections += 1
            self._open |= {client, server}
        try:
            upward = threading.Thread(target=self._pump, args=(client, server, "sent"))
            upward.start()
            self._pump(server, client, "received")
            upward.join()
        finally:
            with self._lock:
                self._open -= {client, server}

    def _pump(self, source: socket.socket, sink: socket.socket, direction: Direction) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                time.sleep(self.delay)
                allowed = self._allow(direction, len(data))
                sink.sendall(data[:allowed])
                if allowed < len(data):
                    _shut(source)
                    break
        # Whatever ended this way, the other side must learn of it.
        _shut(sink, socket.SHUT_WR if direction == "sent" else socket.SHUT_RDWR)

    def _allow(self, direction: Direction, size: int) -> int:
        """Count what may pass of ``size`` bytes and return it."""
        with self._lock:
            left = self._allowance.get(direction)
            if left is not None and left < size:
                del self._allowance[direction]
                size = left
            elif left is not None:
                self._allowance[direction] = left - size
            if direction == "sent":
                self.sent += size
            else:
                self.received += size
            return size


@contextmanager
def counting_proxy(port: int) -> Iterator[CountingProxy]:
    """Run a proxy on a free loopback port in front of the loopback server on ``port``."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 30) as server:
                server.settimeout(None)
                proxy.joined(self.request, server)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listener:
        proxy = CountingProxy(f"127.0.0.1:{listener.server_address[1]}")
        accepting = threading.Thread(target=listener.serve_forever, args=(0.05,))
        accepting.start()
        try:
            yield proxy
        finally:
            listener.shutdown()
            accepting.join()
            proxy.cut_now()


def _shut(end: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with suppress(OSError):
        end.shutdown(how)
