"""Lines about what happens: who asked for what, and who changed what.

Lines are gathered and written together, a moment later, so that a request never waits for a disk.
A file that was moved away (logrotate) is noticed and opened anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import starmap
from pathlib import Path
from typing import Protocol

from nacre.errors import Unavailable

_SOON = 0.2
_FULL = 500
_STANDARD_ERROR = 2
_PLAIN = re.compile(r"[!#-<>-~]+")  # printable, without space, quote and equals sign

_Line = tuple[datetime, str, Mapping[str, object]]


class Log(Protocol):
    """Where lines go."""

    def line(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write a line of a kind (``access``, ``audit``, ``hub``); returns at once."""


class LineLog:
    """Lines as text or JSON, to a file or to standard error.

    Args:
        path: the file to append to; None is standard error, by its number, which a daemon has.
        as_json: one JSON object a line, instead of ``key=value`` text.
        now: the clock, in UTC.
    """

    def __init__(self, path: Path | None, *, as_json: bool, now: Callable[[], datetime]) -> None:
        self._format = _as_json if as_json else _as_text
        self._now = now
        self._waiting: list[_Line] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # held longer, so that nobody waits for it to add a line
        self._file = _File(path) if path else _StandardError()
        self._some = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_soon, name="nacre-hub-log", daemon=True)
        self._thread.start()

    def line(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write a line soon; ``fields`` must not change any more."""
        line = (self._now(), kind, fields)
        with self._lock:
            self._waiting.append(line)
            count = len(self._waiting)
        if count == 1:
            self._some.set()
        elif count >= _FULL:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._writing:
            with self._lock:
                lines, self._waiting = self._waiting, []
            if lines:
                self._file.append("".join(starmap(self._format, lines)).encode())

    def _write_soon(self) -> None:
        while not self._closing.is_set():
            self._some.wait()
            self._some.clear()
            self._closing.wait(_SOON)
            self.flush()

    def close(self) -> None:
        """Write what waits and let go of the file."""
        self._closing.set()
        self._some.set()
        self._thread.join()
        self.flush()
        self._file.close()


def check_log_file(path: Path) -> None:
    """Check that a log can be appended to, making the file.

    Raises:
        Unavailable: it cannot.
    """
    _File(path).close()


class _StandardError:
    """The standard error of this process."""

    def append(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(_STANDARD_ERROR, data)

    def close(self) -> None:
        """Leave it open: it is everybody's."""


class _File:
    """A file that lines are appended to, also after another has been put in its place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = self._open()

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise Unavailable(
                f"cannot write the log {self._path}: {error.strerror}", remedy="change log.file"
            ) from None

    def append(self, data: bytes) -> None:
        if self._was_moved():
            # Where no new file can be made, the old one is better than nothing, or another's.
            with contextlib.suppress(Unavailable):
                moved, self._descriptor = self._descriptor, self._open()
                os.close(moved)
        # A full disk must not stop the hub, which can still serve; its answers say so (507).
        with contextlib.suppress(OSError):
            os.write(self._descriptor, data)

    def _was_moved(self) -> bool:
        try:
            there = self._path.stat()
        except OSError:
            return True
        return not os.path.samestat(there, os.fstat(self._descriptor))

    def close(self) -> None:
        os.close(self._descriptor)


_to_json = json.JSONEncoder(ensure_ascii=False).encode


def _as_json(at: datetime, kind: str, fields: Mapping[str, object]) -> str:
    return _to_json({"time": _time(at), "kind": kind, **fields}) + "\n"


def _as_text(at: datetime, kind: str, fields: Mapping[str, object]) -> str:
    shown = " ".join([f"{key}={_word(value)}" for key, value in fields.items()])
    return f"{_time(at)} {kind} {shown}\n"


def _time(at: datetime) -> str:
    return f"{at.isoformat(timespec='milliseconds')[:23]}Z"


def _word(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    # What a client sent may hold anything; a line stays a line, a word a word.
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
