"""A server that sends what it is told to, HTTP or not, as no sound registry would.

    with raw_server(b"HTTP/1.1 103 Early Hints\r\n\r\n", endless(b"x")) as server:
        …                                   # talk to server.host
        assert server.requests == 2

Each connection gets the next script once the head of a request has arrived, the last script over
and over. Who tries to speak TLS is hung up on.
"""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = bytes | Callable[[], Iterable[bytes]]

_TLS_HANDSHAKE = 0x16


@dataclass
class RawServer:
    """A running one; ``requests`` counts those that came."""

    host: str
    requests: int = 0
    open: set[socket.socket] = field(default_factory=set)


def endless(head: bytes, piece: bytes, *, pause: float = 0.0) -> Script:
    """Return the script that sends ``piece`` over and over after ``head``."""

    def send() -> Iterator[bytes]:
        yield head
        while True:
            time.sleep(pause)
            yield piece

    return send


@contextmanager
def raw_server(*scripts: Script) -> Iterator[RawServer]:
    """Run the server until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        server = RawServer(f"127.0.0.1:{listener.getsockname()[1]}")
        turns = itertools.chain(scripts, itertools.repeat(scripts[-1]))
        thread = threading.Thread(target=_accept, args=(server, listener, turns))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in list(server.open):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _accept(server: RawServer, listener: socket.socket, turns: Iterator[Script]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            server.open.add(connection)
            arguments = (server, connection, turns)
            threading.Thread(target=_serve, args=arguments, daemon=True).start()


def _serve(server: RawServer, connection: socket.socket, turns: Iterator[Script]) -> None:
    with connection, suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            head += (piece := connection.recv(65536))
            if not piece or head[0] == _TLS_HANDSHAKE:
                return
        server.requests += 1
        script = next(turns)
        for piece in [script] if isinstance(script, bytes) else script():
            connection.sendall(piece)
    server.open.discard(connection)
