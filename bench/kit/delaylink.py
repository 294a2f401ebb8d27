"""Two network namespaces joined by a link with delay: netem where the kernel has it, else our own.

Our own is a pair of TUN devices and a process that holds every packet back, see `forwarder`. In
both cases the TCP at either end is the kernel's, with an MTU of 1500 and segmentation offload.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.kit.namespace import Namespace, namespace
from bench.kit.stopwatch import CommandFailed, succeed

_FORWARDER = Path(__file__).with_name("forwarder.py")
_CLIENT, _SERVER = "10.200.0.1", "10.200.0.2"
_PREFIX = "/30"
_DEVICE = "link0"
# More than a window's worth, so that nothing is dropped: delay is the only trouble on this link.
_QUEUE = "100000"


@dataclass(frozen=True, slots=True)
class Link:
    """Two namespaces and how they are joined: ``kind`` is "netem" or "TUN pair"."""

    client: Namespace
    server: Namespace
    kind: str


@contextmanager
def delayed_link(seconds: float) -> Iterator[Link]:
    """Join two new namespaces by a link that takes ``seconds`` in each direction."""
    with (
        namespace("client", _CLIENT) as client,
        namespace("server", _SERVER) as server,
        ExitStack() as held,
    ):
        kind = "netem"
        if not _netem(client, server, seconds):
            kind = "TUN pair"
            held.enter_context(_forwarded(client, server, seconds))
        for end in (client, server):
            end.run("ip", "address", "add", end.address + _PREFIX, "dev", _DEVICE)
            end.run("ip", "link", "set", _DEVICE, "mtu", "1500", "txqueuelen", _QUEUE, "up")
        yield Link(client, server, kind)


def _netem(client: Namespace, server: Namespace, seconds: float) -> bool:
    """Join the ends by a veth pair with netem, and say whether this kernel can."""
    peer = ("peer", "name", _DEVICE, "netns", server.name)
    delay = ("netem", "delay", f"{seconds * 1e6:.0f}us", "limit", _QUEUE)
    with suppress(CommandFailed):
        client.run("ip", "link", "add", _DEVICE, "type", "veth", *peer)
        for end in (client, server):
            end.run("tc", "qdisc", "add", "dev", _DEVICE, "root", *delay)
        return True
    with suppress(CommandFailed):
        client.run("ip", "link", "delete", _DEVICE)
    return False


@contextmanager
def _forwarded(client: Namespace, server: Namespace, seconds: float) -> Iterator[None]:
    """Join the ends by a process that passes packets on between two TUN devices."""
    argv = (sys.executable, "-I", "-S", _FORWARDER, str(seconds))
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as forwarder:
        assert forwarder.stdout is not None
        names = forwarder.stdout.readline().split()
        if len(names) != 2:
            raise CommandFailed("the forwarder could not make its TUN devices")
        for name, end in zip(names, (client, server), strict=True):
            succeed("ip", "link", "set", name, "netns", end.name, "name", _DEVICE)
        try:
            yield
        finally:
            forwarder.terminate()
