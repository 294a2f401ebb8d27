"""What a link can do: how long a TCP connection takes to open, and how fast one stream is.

usage: probe.py serve ADDRESS        prints its port, then answers each connection with zeros
       probe.py connect ADDRESS PORT prints the median of opening a connection, in seconds
       probe.py drain ADDRESS PORT BYTES   prints the bytes per second of one stream
"""

from __future__ import annotations

import socket
import sys
import time
from contextlib import suppress
from statistics import median

_ROUNDS = 15
_BLOCK = 1024 * 1024


def serve(address: str) -> None:
    """Send zeros to whoever connects, one at a time, for ever."""
    zeros = bytes(_BLOCK)
    with socket.create_server((address, 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            peer, _ = listener.accept()
            with peer, suppress(OSError):
                while True:
                    peer.sendall(zeros)


def connect(address: str, port: int) -> float:
    """Return the median of the times that opening a connection took."""
    times = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        with socket.create_connection((address, port)):
            times.append(time.perf_counter() - begin)
    return median(times)


def drain(address: str, port: int, size: int) -> float:
    """Return how many bytes per second one stream of ``size`` bytes brings."""
    block = bytearray(_BLOCK)
    begin = time.perf_counter()
    got = 0
    with socket.create_connection((address, port)) as peer:
        while got < size:
            got += peer.recv_into(block)
    return got / (time.perf_counter() - begin)


if __name__ == "__main__":
    action, where, *rest = sys.argv[1:]
    if action == "serve":
        serve(where)
    elif action == "connect":
        print(connect(where, int(rest[0])))
    else:
        print(drain(where, int(rest[0]), int(rest[1])))
