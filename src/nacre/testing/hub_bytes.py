"""The bytes of a hub's blobs in memory."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from nacre.errors import NotFound
from nacre.hub.registry.byteplace import Buffer, Kept, Writing


def _now() -> datetime:
    return datetime.now(UTC)


class _Writing:
    """The end of a key's bytes."""

    def __init__(self, data: bytearray) -> None:
        self._data = data

    def write(self, data: Buffer, /) -> None:
        self._data += data


class MemoryPlace:
    """Meets `nacre.hub.registry.byteplace.BytePlace`."""

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._now = now
        self._kept: dict[str, bytearray] = {}
        self._written: dict[str, datetime] = {}

    def new_key(self) -> str:
        return secrets.token_hex(16)

    @contextmanager
    def append(self, key: str, offset: int) -> Iterator[Writing]:
        data = self._kept.get(key, bytearray())
        if len(data) < offset:
            raise NotFound(f"only {len(data)} of {offset} bytes of the upload are there")
        del data[offset:]
        self._kept[key] = data
        try:
            yield _Writing(data)
        finally:
            self._written[key] = self._now()

    def seal(self, key: str) -> None:
        self._kept.setdefault(key, bytearray())
        self._written.setdefault(key, self._now())

    def open(self, key: str) -> BinaryIO:
        if key not in self._kept:
            raise NotFound(f"there are no bytes under the key {key}")
        return io.BytesIO(self._kept[key])

    def size(self, key: str) -> int | None:
        return len(self._kept[key]) if key in self._kept else None

    def path(self, key: str) -> Path | None:  # noqa: ARG002 - nothing in memory is a file
        return None

    def delete(self, keys: Iterable[str]) -> Iterable[str]:
        for key in keys:
            self._kept.pop(key, None)
            self._written.pop(key, None)
        return []

    def check(self) -> None:
        pass

    def __iter__(self) -> Iterator[Kept]:
        for key, data in list(self._kept.items()):
            yield Kept(key, len(data), self._written.get(key, self._now()))
