"""What a command costs: wall clock, processor time, peak memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.kit.processes import end, family

_LAUNCHER = Path(__file__).with_name("launcher.py")


class CommandFailed(Exception):
    """A measured command did not end well, so its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock, seconds of processor time in user and kernel mode, peak RSS in bytes.

    Processor time and memory are those of the command and the children it waited for; the
    memory is the largest of any one of them.
    """

    wall: float
    user: float
    system: float
    peak: int

    @property
    def cpu(self) -> float:
        """All of the processor time."""
        return self.user + self.system


class Stopwatch:
    """Measures commands, one at a time, through a small launcher process."""

    def __init__(self, launcher: int, requests: IO[str], replies: IO[str], log: Path) -> None:
        self._launcher = launcher
        self._requests = requests
        self._replies = replies
        self._log = log

    def measure(
        self, *argv: str | Path, env: Mapping[str, str] | None = None, seconds: float = 300
    ) -> Cost:
        """Run a command to its end.

        Raises:
            CommandFailed: it failed, or took longer than ``seconds``.
        """
        words = [str(word) for word in argv]
        request = {
            "argv": [program(words[0]), *words[1:]],
            "env": dict(os.environ if env is None else env),
            "log": str(self._log),
            "seconds": seconds,
        }
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        try:
            reply = json.loads(self._replies.readline())
        except BaseException:  # we are asked to end: what puts things back must not meet it
            end(family(self._launcher)[1:])
            raise
        if reply.pop("code") != 0:
            said = self._log.read_text(errors="replace").strip()
            raise CommandFailed(f"$ {' '.join(words)}\n{said}")
        return Cost(**reply)


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Give a stopwatch, whose launcher ends with the block."""
    argv: Sequence[str | Path] = (sys.executable, "-I", "-S", _LAUNCHER)
    with (
        tempfile.TemporaryDirectory(prefix="nacre-bench-") as folder,
        subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as launcher,
    ):
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        yield Stopwatch(launcher.pid, launcher.stdin, launcher.stdout, Path(folder) / "output")


def program(name: str) -> str:
    """Return the path of a program, also of those in the folders for administrators."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        raise CommandFailed(f"{name} is not installed; bench/run installs it")
    return found


def succeed(*argv: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command that is not measured and return what it printed on standard output.

    Raises:
        CommandFailed: it failed.
    """
    words = [program(str(argv[0])), *map(str, argv[1:])]
    done = subprocess.run(
        words, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise CommandFailed(f"$ {' '.join(words)}\n{done.stderr.strip()}")
    return done.stdout
