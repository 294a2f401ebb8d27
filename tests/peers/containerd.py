"""containerd, started for the tests with a root, state and socket of its own, and its ``ctr``."""

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


@dataclass(frozen=True, slots=True)
class Containerd:
    """A running containerd; ``ctr`` speaks to it."""

    ctr: Tool

    def target(self, name: str) -> tuple[str, str]:
        """Return the media type and digest that an image of containerd's has."""
        for line in self.ctr("images", "list", f"name=={name}").splitlines()[1:]:
            _, media_type, digest, *_ = line.split()
            return media_type, digest
        raise AssertionError(f"containerd has no {name}")


@contextmanager
def running_containerd() -> Iterator[Containerd]:
    """Start containerd without any plugin that reaches beyond its folder; end it on leaving.

    It needs root.
    """
    # Not below pytest's folders: the path of a socket may not exceed 107 characters.
    with tempfile.TemporaryDirectory(prefix="containerd-") as name:
        folder = Path(name)
        (folder / "config.toml").write_text(_config(folder))
        argv = [require_tool("containerd"), "--config", str(folder / "config.toml")]
        env = isolated_environment(folder / "home")
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            ) as process,
        ):
            try:
                ctr = Tool((require_tool("ctr"), "--address", str(folder / "socket")), env)
                _wait_for(ctr, process, folder / "log")
                yield Containerd(ctr)
            finally:
                process.terminate()


def _config(folder: Path) -> str:
    lines = [
        "version = 2",
        f"root = {json.dumps(str(folder / 'root'))}",
        f"state = {json.dumps(str(folder / 'state'))}",
        'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]',
        "[grpc]",
        f"address = {json.dumps(str(folder / 'socket'))}",
        "[ttrpc]",
        f"address = {json.dumps(str(folder / 'socket.ttrpc'))}",
    ]
    return "\n".join(lines)


def _wait_for(ctr: Tool, process: subprocess.Popen[bytes], log: Path) -> None:
    def settled() -> bool:
        return process.poll() is not None or ctr.attempt("version").returncode == 0

    wait_until(settled, "containerd")
    if process.poll() is not None:
        said = log.read_text(errors="replace")
        pytest.fail(f"containerd did not start:\n{said[-4000:]}", pytrace=False)
