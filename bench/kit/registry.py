"""Debian's docker-registry, started for a benchmark, here or in a network namespace."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.kit.namespace import HERE, Namespace
from bench.kit.stopwatch import CommandFailed, program
from tests.peers.certificates import Authority, make_authority

_LISTENING = re.compile(r"listening on [\d.]+:(\d+)")
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Registry:
    """A running registry; ``host`` is HOST:PORT, ``authority`` the CA to trust, None for http."""

    host: str
    port: int
    authority: Path | None
    process: int = 0

    def image(self, repository: str, tag: str = "bench") -> str:
        """Return how both nacre and skopeo name an image here."""
        return f"docker://{self.host}/{repository}:{tag}"


@contextmanager
def registry(
    data: Path,
    folder: Path,
    *,
    tls: bool = False,
    read_only: bool = False,
    at: Namespace = HERE,
    also: Mapping[str, Any] | None = None,
    before: Sequence[str] = (),
) -> Iterator[Registry]:
    """Serve ``data`` on a free port until the block ends; ``folder`` takes the server's own files.

    ``also`` holds sections of its settings that replace ours, ``before`` what to start it with.

    Raises:
        CommandFailed: it did not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = make_authority(folder / "authority") if tls else None
    config = _config(data, at.address, read_only=read_only)
    if authority:
        config["http"]["tls"] = _tls(authority, at.address)
    config |= also or {}
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    log = folder / "server.log"
    argv = [*before, *at.enter(program("docker-registry")), "serve", str(folder / "config.yml")]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output
        ) as server,
    ):
        try:
            port = _port(server, log)
            trusted = authority.certificate if authority else None
            yield Registry(f"{at.address}:{port}", port, trusted, server.pid)
        finally:
            server.terminate()


def _config(data: Path, address: str, *, read_only: bool) -> dict[str, Any]:
    # As Debian's package is set up, but for the place, the port and the log.
    return {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {
            "filesystem": {"rootdirectory": str(data)},
            "cache": {"blobdescriptor": "inmemory"},
            "maintenance": {"readonly": {"enabled": read_only}},
        },
        "http": {"addr": f"{address}:0"},
    }


def _tls(authority: Authority, address: str) -> dict[str, str]:
    server = authority.issue("registry", f"IP:{address}")
    return {"certificate": str(server.certificate), "key": str(server.key)}


def _port(server: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _PATIENCE
    while not (found := _LISTENING.search(log.read_text())):
        if server.poll() is not None or time.monotonic() > deadline:
            raise CommandFailed(f"docker-registry did not start:\n{log.read_text()}")
        time.sleep(0.01)
    return int(found[1])
