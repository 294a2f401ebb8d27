"""What a link with delay can do, measured by real connections over it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.kit.delaylink import Link, delayed_link

_PROBE = Path(__file__).with_name("probe.py")
_PROBED = 300_000_000


def describe(one_way: float) -> dict[str, str]:
    """Measure a link with this delay: what it is, and that the link is not the narrow place."""
    with delayed_link(0) as link:
        free = _probed(link)[1]
    with delayed_link(one_way) as link:
        opening, one_stream = _probed(link)
        kind = link.kind
    return {
        "link with delay": f"{kind}, opening a connection takes {opening * 1e3:.1f} ms (median)",
        "one TCP stream on it": f"{one_stream / 1e6:.0f} MB/s; "
        f"{free / 1e6:.0f} MB/s on the same link without delay",
    }


def _probed(link: Link) -> tuple[float, float]:
    address = link.server.address
    argv = link.server.enter(sys.executable, str(_PROBE), "serve", address)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        client = (sys.executable, str(_PROBE))
        try:
            opening = float(link.client.run(*client, "connect", address, port))
            speed = float(link.client.run(*client, "drain", address, port, str(_PROBED)))
        finally:
            server.terminate()
    return opening, speed
