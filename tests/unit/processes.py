"""Starting the processes of ``children.py`` and ending them for certain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCRIPT = Path(__file__).with_name("children.py")


class Child:
    """A process that runs one command of ``children.py``."""

    def __init__(self, command: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_SCRIPT), command, *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """Return the next line it tells, waiting for it."""
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")

    def is_running(self) -> bool:
        """Say whether it has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill it, with no chance to tidy up."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it if need be."""
        self.kill()
        assert self._process.stdout
        self._process.stdout.close()

    def finish(self) -> str:
        """Wait for its end, which must be a good one, and return what else it told."""
        output, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0
        return output.strip()


@contextmanager
def child(command: str, *arguments: object) -> Iterator[Child]:
    """Run a command of ``children.py`` beside the block."""
    process = Child(command, *arguments)
    try:
        yield process
    finally:
        process.close()
