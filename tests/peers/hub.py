"""Our own hub as people start it: a process of its own, with the data in a folder."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.tools import isolated_environment, run, succeed, wait_until

ADMIN = "admin"

_ADDRESS = re.compile(r"listens on http://127\.0\.0\.1:(\d+),")
_PASSWORD = re.compile(r"made user admin with the password (\S+)")


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub; ``password`` is the admin's, ``host`` what goes before a name."""

    folder: Path
    port: int
    password: str
    env: Mapping[str, str]

    @property
    def host(self) -> str:
        """What goes before the first slash of a reference."""
        return f"127.0.0.1:{self.port}"

    def manage(self, *args: str, stdin: str | None = None) -> str:
        """Run ``nacre hub`` on this hub's data; it must succeed."""
        argv = [_program(), "hub", *args, "--data", str(self.folder / "data")]
        argv += ["--config", str(self.folder / "hub.toml")]
        return succeed(run(*argv, env=self.env, stdin=stdin)).stdout

    def add_user(self, name: str, password: str) -> None:
        """Let somebody else in."""
        self.manage("user", "add", "--password-stdin", name, stdin=password)

    def log(self) -> str:
        """Return what the hub has written so far: access and audit lines, and mishaps."""
        return (self.folder / "log").read_text()


@contextmanager
def running_hub(folder: Path, *, anonymous_push: bool = False, settings: str = "") -> Iterator[Hub]:
    """Start a hub on a free loopback port, with its data in ``folder``; end it on leaving.

    ``settings`` is the text of its settings file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hub.toml").write_text(settings)
    argv = [_program(), "hub", "serve", "--listen", "127.0.0.1:0"]
    argv += ["--data", str(folder / "data"), "--config", str(folder / "hub.toml")]
    argv += ["--anonymous-push"] if anonymous_push else []
    env = isolated_environment(folder / "home")
    with (
        (folder / "said").open("wb") as said,
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=log
        ) as process,
    ):
        try:
            yield _ready(process, folder, env)
        finally:
            process.terminate()


def _ready(process: subprocess.Popen[bytes], folder: Path, env: Mapping[str, str]) -> Hub:
    said = folder / "said"
    wait_until(lambda: process.poll() is not None or _ADDRESS.search(said.read_text()), "the hub")
    address, password = _ADDRESS.search(said.read_text()), _PASSWORD.search(said.read_text())
    if process.poll() is not None or address is None or password is None:
        pytest.fail(f"the hub did not start:\n{(folder / 'log').read_text()}", pytrace=False)
    return Hub(folder, int(address[1]), password[1], env)


def _program() -> str:
    return str(Path(sys.executable).with_name("nacre"))
