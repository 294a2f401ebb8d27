"""Lines about what happens: who asked for what, and who changed what.

Lines are gathered and written together, a moment later, so that a request never waits for a disk.
A file that was moved away (logrotate) is noticed and opened anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from nacre.errors import Unavailable

_SOON = 0.2
_FULL = 500
_STANDARD_ERROR = 2


class Log(Protocol):
    """Where lines go."""

    def line(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write a line of a kind (``access``, ``audit``, ``hub``); returns at once."""


class NoLog:
    """A log that keeps nothing."""

    def line(self, kind: str, fields: Mapping[str, object]) -> None:
        """Forget the line."""


class LineLog:
    """Lines as text or JSON, to a file or to standard error.

    Args:
        path: the file to append to; None is standard error, by its number, which a daemon has.
        as_json: one JSON object a line, instead of ``key=value`` text.
        now: the clock, with its zone.
    """

    def __init__(self, path: Path | None, *, as_json: bool, now: Callable[[], datetime]) -> None:
        self._format = _as_json if as_json else _as_text
        self._now = now
        self._waiting: list[str] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._file = _File(path) if path else _StandardError()

    def line(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write a line soon."""
        text = self._format(self._now(), kind, fields)
        with self._lock:
            self._waiting.append(text)
            if self._timer is None and len(self._waiting) < _FULL:
                self._timer = threading.Timer(_SOON, self.flush)
                self._timer.daemon = True
                self._timer.start()
            full = len(self._waiting) >= _FULL
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            lines, self._waiting = self._waiting, []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if not lines:
                return
            self._file.append("".join(lines).encode())

    def close(self) -> None:
        """Write what waits and let go of the file."""
        self.flush()
        self._file.close()


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
            os.close(self._descriptor)
            self._descriptor = self._open()
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


def _as_json(at: datetime, kind: str, fields: Mapping[str, object]) -> str:
    text = json.dumps({"time": _time(at), "kind": kind, **fields}, ensure_ascii=False)
    return text + "\n"


def _as_text(at: datetime, kind: str, fields: Mapping[str, object]) -> str:
    shown = " ".join(f"{key}={_word(value)}" for key, value in fields.items())
    return f"{_time(at)} {kind} {shown}\n"


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _word(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    # What a client sent may hold anything; a line stays a line, a word a word.
    if text and text.isascii() and text.isprintable() and not set(text) & set(' "='):
        return text
    return json.dumps(text)
