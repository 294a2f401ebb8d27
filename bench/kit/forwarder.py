"""Passes packets between two TUN devices, each a fixed time after it came; see `delaylink`.

usage: forwarder.py SECONDS. Makes the devices, prints their names, and ends with its input or a
signal. Packets carry the virtio header that virtual machines use (TUN_F_TSO4): the sender's kernel
hands over up to 64 KiB at once, to be cut into segments of the MTU by whoever needs that, which
here is nobody. So one process in Python is far from being the narrow place.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque
from contextlib import suppress

_TUNSETIFF = 0x400454CA
_TUNSETOFFLOAD = 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
_TUN_F_CSUM, _TUN_F_TSO4, _TUN_F_TSO6, _TUN_F_TSO_ECN = 0x01, 0x02, 0x04, 0x08
_LARGEST = 10 + 65536
# Read at most so many before looking at what is due: neither direction waits for the other.
_BATCH = 32


def open_tun() -> tuple[int, str]:
    """Make a TUN device that lives as long as its descriptor; return that and its name."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    wanted = struct.pack("16sH22x", b"nacrebench%d", _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR)
    made = fcntl.ioctl(device, _TUNSETIFF, wanted)
    fcntl.ioctl(device, _TUNSETOFFLOAD, _TUN_F_CSUM | _TUN_F_TSO4 | _TUN_F_TSO6 | _TUN_F_TSO_ECN)
    return device, made[:16].rstrip(b"\0").decode()


class Lane:
    """One direction: what was read from ``source`` and when it is due at ``sink``."""

    def __init__(self, source: int, sink: int, seconds: float) -> None:
        self.source = source
        self._sink = sink
        self._seconds = seconds
        self._held: deque[tuple[float, bytes]] = deque()

    @property
    def due(self) -> float:
        """When the next packet is to go on, on the monotonic clock."""
        return self._held[0][0] if self._held else float("inf")

    def take(self) -> None:
        """Read some of the packets that have come."""
        with suppress(BlockingIOError):
            for _ in range(_BATCH):
                packet = os.read(self.source, _LARGEST)
                self._held.append((time.monotonic() + self._seconds, packet))

    def pass_on(self) -> None:
        """Write the packets whose time has come."""
        now = time.monotonic()
        while self._held and self._held[0][0] <= now:
            _, packet = self._held.popleft()
            with suppress(OSError):  # the device is down: a lost packet, as on any link
                os.write(self._sink, packet)


def serve(ends: tuple[int, int], seconds: float) -> None:
    """Pass packets on until standard input ends."""
    lanes = [Lane(ends[0], ends[1], seconds), Lane(ends[1], ends[0], seconds)]
    by_source = {lane.source: lane for lane in lanes}
    stop = sys.stdin.fileno()
    while True:
        due = min(lane.due for lane in lanes)
        wait = None if due == float("inf") else max(0.0, due - time.monotonic())
        ready = select.select([*by_source, stop], (), (), wait)[0]
        if stop in ready:
            return
        for source in ready:
            by_source[source].take()
        for lane in lanes:
            lane.pass_on()


if __name__ == "__main__":
    first, second = open_tun(), open_tun()
    print(first[1], second[1], flush=True)
    serve((first[0], second[0]), float(sys.argv[1]))
