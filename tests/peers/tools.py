"""Programs that the tests run: found or failed over, run to their end, and believed only on 0."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

REMEDY = "run scripts/test, which installs it"


def require_tool(name: str) -> str:
    """Return the path of the program ``name``; a machine without it fails the test."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        pytest.fail(f"{name} is not installed; {REMEDY}", pytrace=False)
    return path


def isolated_environment(home: Path) -> dict[str, str]:
    """Return an environment that knows nothing of the person who runs the tests."""
    places = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_STATE_HOME": home / ".local" / "state",
        "XDG_RUNTIME_DIR": home / "run",
        "TMPDIR": home / "tmp",
    }
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    fixed = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TZ": "UTC"}
    return fixed | {name: str(place) for name, place in places.items()}


def run(
    *argv: str | Path,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float = 240,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, keeping both its streams as text, whatever its exit code."""
    return subprocess.run(
        [str(word) for word in argv],
        env=env,
        input=stdin if stdin is not None else "",
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def succeed(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """Return ``done`` when its exit code is 0; fail the test with all it said otherwise."""
    if done.returncode != 0:
        pytest.fail(f"{describe(done)}", pytrace=False)
    return done


def describe(done: subprocess.CompletedProcess[str]) -> str:
    """Return a finished program's command line, exit code and output, to be read in a failure."""
    said = "".join(f"\n{line}" for line in (done.stdout + done.stderr).splitlines())
    return f"$ {' '.join(done.args)}\n[exit code {done.returncode}]{said}"


def wait_until(condition: Callable[[], object], what: str, *, seconds: float = 30) -> None:
    """Ask again and again until ``condition`` holds; ``what`` names what is waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for {what}", pytrace=False)
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Tool:
    """A program with leading arguments and an environment of its own; calling it must succeed."""

    argv: tuple[str, ...]
    env: Mapping[str, str]

    def within(self, env: Mapping[str, str]) -> Tool:
        """Return the same program with more in its environment, or other values."""
        return Tool(self.argv, {**self.env, **env})

    def __call__(self, *args: str | Path, stdin: str | None = None) -> str:
        """Run it with ``args`` and return what it printed on standard output."""
        return succeed(run(*self.argv, *args, env=self.env, stdin=stdin)).stdout

    def attempt(
        self, *args: str | Path, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it with ``args`` and return how it ended, for a command that may fail."""
        return run(*self.argv, *args, env=self.env, stdin=stdin)


@contextmanager
def container_tool(name: str, folder: Path, *, driver: str = "vfs") -> Iterator[Tool]:
    """Give podman or buildah with image storage of its own under ``folder``."""
    # Not under folder: podman refuses a run root with a path of more than 50 characters.
    with tempfile.TemporaryDirectory(prefix="run-") as runroot:
        storage = ("--root", str(folder / "storage"), "--runroot", runroot)
        tool = Tool(
            (require_tool(name), *storage, "--storage-driver", driver),
            isolated_environment(folder / "home"),
        )
        try:
            yield tool
        finally:
            if os.geteuid() != 0:
                _end_rootless(tool, folder)


def _end_rootless(tool: Tool, folder: Path) -> None:
    # What is in the images belongs to subordinate users, whom we only are in a user namespace.
    tool.attempt("unshare", "rm", "-rf", folder / "storage")
    # Podman leaves a process behind that keeps one; the test may have run it with another home.
    for file in folder.parent.rglob("pause.pid"):
        with suppress(ProcessLookupError):
            os.kill(int(file.read_text()), signal.SIGKILL)
