"""The installed ``nacre`` command, with a store and a home of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.terminal import Terminal, at_terminal
from tests.peers.tools import (
    REMEDY,
    describe,
    isolated_environment,
    require_tool,
    run,
    succeed,
)


class NacreCli:
    """Runs ``nacre --root ROOT ...`` with an environment that nothing outside leaks into.

    ``root`` is the store's folder, ``home`` the home folder, ``docker_config`` the folder that
    holds ``config.json``, ``config`` nacre's own settings file (empty at first); a test may write
    to all of them, and change ``env``, before a call.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "store"
        self.home = folder / "home"
        self.docker_config = self.home / ".docker"
        self.config = self.home / "nacre.toml"
        self.env = isolated_environment(self.home) | {
            "DOCKER_CONFIG": str(self.docker_config),
            "NACRE_CONFIG": str(self.config),
            "NACRE_RUN": str(self.home / "run" / "nacre"),
        }
        self.config.touch()
        self._program = Path(sys.executable).with_name("nacre")
        if not self._program.exists():
            pytest.fail(f"the nacre command is not installed; {REMEDY}", pytrace=False)

    def run(
        self, *args: str | Path, stdin: str | None = None, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end and return how it ended, whatever the exit code."""
        return run(*self.argv(*args), env=self.env, stdin=stdin, timeout=timeout)

    def __call__(self, *args: str | Path, stdin: str | None = None) -> str:
        """Run a command that must succeed; return what it printed on standard output."""
        return succeed(self.run(*args, stdin=stdin)).stdout

    def refused(self, *args: str | Path, stdin: str | None = None) -> str:
        """Run a command that must fail as a person may see it; return its standard error.

        No traceback, and something said.
        """
        done = self.run(*args, stdin=stdin)
        assert done.returncode != 0, describe(done)
        assert "Traceback" not in done.stderr, describe(done)
        assert done.stderr.strip(), describe(done)
        return done.stderr

    @contextmanager
    def at_terminal(self, *args: str | Path) -> Iterator[Terminal]:
        """Start a command at a terminal of its own."""
        with at_terminal(self.argv(*args), self.env) as terminal:
            yield terminal

    def shell_environment(self) -> Mapping[str, str]:
        """Return the environment of a shell in which ``nacre`` is this one, with this store."""
        path = f"{self._program.parent}:{self.env['PATH']}"
        return self.env | {"NACRE_ROOT": str(self.root), "PATH": path}

    def in_shell(self, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a bash script in which ``nacre`` is this one, whatever its exit code."""
        bash = (require_tool("bash"), "--noprofile", "--norc", "-c", script)
        return run(*bash, env={**self.shell_environment(), **env})

    @contextmanager
    def started(self, *args: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command, give it to the caller (to kill, say), and leave none behind."""
        with subprocess.Popen(
            self.argv(*args),
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def argv(self, *args: str | Path) -> list[str]:
        """Return the command line of a call, for a test that starts it in its own way."""
        return [str(word) for word in (self._program, "--root", self.root, *args)]
