"""A program at a terminal: what it shows is read, what is typed is sent."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.peers.tools import require_tool

_ROWS, _COLUMNS = 30, 120
_PATIENCE = 60.0
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78])")


class Terminal:
    """A terminal that a program runs at; ``shown`` is all it has written, escapes included."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self._process = process
        self._master = master
        self.shown = ""

    @property
    def text(self) -> str:
        """What was written, without the terminal's escape sequences."""
        return _ESCAPES.sub("", self.shown).replace("\r\n", "\n")

    def type(self, keys: str) -> None:
        """Press keys; ``"\\x03"`` is Ctrl-C."""
        os.write(self._master, keys.encode())

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self._process.send_signal(number)

    def wait_for(self, pattern: str) -> None:
        """Read on until a regular expression is found in ``text``."""
        while not re.search(pattern, self.text):
            if not self._read():
                pytest.fail(f"the program ended without {pattern!r}:\n{self.text}", pytrace=False)

    def end(self) -> int:
        """Read to the end and return the exit code."""
        while self._read():
            pass
        return self._process.wait(_PATIENCE)

    def _read(self) -> bool:
        """Read a little; say whether there may be more."""
        deadline = time.monotonic() + _PATIENCE
        if not select.select([self._master], [], [], deadline - time.monotonic())[0]:
            pytest.fail(f"waited in vain for the program:\n{self.text}", pytrace=False)
        data = b""
        with suppress(OSError):  # EIO: nobody has the other end open any more
            data = os.read(self._master, 65536)
        self.shown += data.decode(errors="replace")
        return bool(data)


@contextmanager
def at_terminal(argv: Sequence[str | Path], env: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a program at a terminal of its own, and leave it no chance to outlive the block.

    It hears of a terminal that closes even when we do not, as below ``nohup``.
    """
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    try:
        with subprocess.Popen(
            [
                *(require_tool("env"), "--default-signal=HUP"),
                *(require_tool("setsid"), "--ctty"),
                *map(str, argv),
            ],
            env={**env, "TERM": "xterm"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        ) as process:
            os.close(slave)
            try:
                yield Terminal(process, master)
            finally:
                process.kill()
    finally:
        os.close(master)
