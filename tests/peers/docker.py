"""Docker's engine, started for the tests on a socket of its own, and its command line."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.tools import Tool, isolated_environment, require_tool, wait_until

# The engine mounts things, and writes to one fixed folder whatever it is told, so it gets a view
# of the file system of its own: nothing of it is seen, or left, outside.
_APART = 'mkdir -p /etc/docker; mount --bind "$1" /etc/docker; shift; exec "$@"'

# Image IDs are config digests only in this store, which newer engines no longer take by default.
_SETTINGS = {"features": {"containerd-snapshotter": False}}


@dataclass(frozen=True, slots=True)
class DockerEngine:
    """A running dockerd, whose socket and data are in ``folder``; ``prefix`` leads to it."""

    folder: Path
    prefix: tuple[str, ...] = ()

    def client(self, home: Path) -> Tool:
        """Return the command line of this engine, for a user whose home folder is ``home``."""
        environment = isolated_environment(home) | {
            "DOCKER_CONFIG": str(home / ".docker"),
            # The classic builder is in every engine; the other is a plugin that Debian has not got.
            "DOCKER_BUILDKIT": "0",
        }
        address = f"unix://{self.folder}/docker.sock"
        docker = _program("docker", self.prefix)
        return Tool((*self.prefix, docker, "--host", address), environment)


@contextmanager
def running_docker(
    *, below: Path | None = None, prefix: tuple[str, ...] = ()
) -> Iterator[DockerEngine]:
    """Start an engine with no images, no network and data of its own; end it on leaving.

    It needs root. It takes plain http from loopback registries, as Docker does by default. Its
    folder is made in ``below``, or where temporary files go. ``prefix`` begins a command line that
    runs a program of another root file system, which must have that folder in the same place.
    """
    # Not below pytest's folders: the path of a socket may not exceed 107 characters.
    with tempfile.TemporaryDirectory(prefix="docker-", dir=below) as name:
        folder = Path(name)
        (folder / "etc").mkdir()
        (folder / "daemon.json").write_text(json.dumps(_SETTINGS))
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                _argv(folder, prefix),
                env=isolated_environment(folder / "home"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                engine = DockerEngine(folder, prefix)
                _wait_for(engine, process)
                yield engine
            finally:
                _end(process)


def _argv(folder: Path, prefix: tuple[str, ...]) -> list[str]:
    unshare, dockerd = (_program(name, prefix) for name in ("unshare", "dockerd"))
    return [
        *(*prefix, unshare, "--mount"),
        *("sh", "-ec", _APART, "sh", str(folder / "etc"), dockerd),
        *("--host", f"unix://{folder}/docker.sock"),
        *("--config-file", str(folder / "daemon.json")),
        *("--pidfile", str(folder / "pid")),
        *("--data-root", str(folder / "data")),
        *("--exec-root", str(folder / "exec")),
        *("--bridge=none", "--iptables=false", "--ip6tables=false"),
    ]


def _program(name: str, prefix: tuple[str, ...]) -> str:
    # What is behind a prefix has paths of its own.
    return name if prefix else require_tool(name)


def _wait_for(engine: DockerEngine, process: subprocess.Popen[bytes]) -> None:
    client = engine.client(engine.folder / "home")

    def settled() -> bool:
        return process.poll() is not None or client.attempt("version").returncode == 0

    wait_until(settled, "dockerd")
    if process.poll() is not None:
        said = (engine.folder / "log").read_text(errors="replace")
        pytest.fail(f"dockerd did not start:\n{said[-4000:]}", pytrace=False)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
