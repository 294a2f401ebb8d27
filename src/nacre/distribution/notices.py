"""``Warning`` header fields: what registries say to people (distribution-spec "Warnings")."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable

from nacre.distribution.errors import printable

_WARNING = re.compile(r'299\s+-\s+"((?:[^"\\]|\\.)*)"')
_LIMIT = 100


class Warnings:
    """Passes each warning on once, however often it is sent, and of all no more than 100."""

    def __init__(self, on_warning: Callable[[str], None]) -> None:
        self._on_warning = on_warning
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def note(self, host: str, values: Iterable[str]) -> None:
        """Take in the ``Warning`` fields of a reply; only code 299 without agent counts."""
        for value in values:
            for quoted in _WARNING.findall(value):
                text = re.sub(r"\\(.)", r"\1", quoted)
                self._pass_on(f"{host}: {printable(text)}")

    def _pass_on(self, text: str) -> None:
        with self._lock:
            if text in self._seen or len(self._seen) >= _LIMIT:
                return
            self._seen.add(text)
        self._on_warning(text)
