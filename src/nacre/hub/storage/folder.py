"""Blobs in a folder: each key is a file, ``b/<2 hex>/<32 hex>``."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from nacre.content.durable import make_folder, sync_folder
from nacre.errors import NotFound
from nacre.hub.errors import Busy, DiskFailed
from nacre.hub.registry.byteplace import Buffer, Kept, Writing
from nacre.hub.storage.disk import meant, told_plainly

_KEY = re.compile(r"b/([0-9a-f]{2})/\1[0-9a-f]{30}")
_FOLDER = re.compile(r"[0-9a-f]{2}")
_NOT_LINKS = os.O_NOFOLLOW | os.O_CLOEXEC
_TO_READ = os.O_RDONLY | _NOT_LINKS


class _End:
    """The end of a file, open for more."""

    def __init__(self, file: int, folder: Path) -> None:
        self._file = file
        self._folder = folder

    def write(self, data: Buffer, /) -> None:
        """See `Writing.write`."""
        with _told(self._folder), memoryview(data) as rest:
            written = 0
            while written < rest.nbytes:
                written += os.write(self._file, rest[written:])


class FolderPlace:
    """Meets `nacre.hub.registry.byteplace.BytePlace`.

    Several processes may use the folder at once; the records see to it that only one writes to a
    key. Nothing is looked through when a hub starts. Only what has the form of a key becomes part
    of a path, and a symbolic link in a key's place is never followed.

    Args:
        root: the folder; it and folders in it are made when first written to, for nobody else.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def new_key(self) -> str:
        """See `BytePlace.new_key`."""
        name = secrets.token_hex(16)
        return f"b/{name[:2]}/{name}"

    @contextmanager
    def append(self, key: str, offset: int) -> Iterator[Writing]:
        """See `BytePlace.append`."""
        path = self._at(key)
        with _told(self._root):
            file = self._opened(path)
        try:
            with _told(self._root):
                there = os.fstat(file).st_size
                if there > offset:
                    os.ftruncate(file, offset)
                os.lseek(file, offset, os.SEEK_SET)
            if there < offset:
                raise Busy(
                    f"only {there} of {offset} bytes of the upload are there",
                    remedy="start the upload again",
                )
            yield _End(file, self._root)
        finally:
            os.close(file)

    def _opened(self, path: Path) -> int:
        """Open a file for writing; its folder is made when missing, and both are durable."""
        flags = os.O_WRONLY | os.O_CREAT | _NOT_LINKS
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            make_folder(path.parent, 0o700)
            return os.open(path, flags, 0o600)

    def seal(self, key: str) -> None:
        """See `BytePlace.seal`."""
        path = self._at(key)
        with _told(self._root):
            file = self._opened(path)
            try:
                os.fsync(file)
            finally:
                os.close(file)
            sync_folder(path.parent)

    def open(self, key: str) -> BinaryIO:
        """See `BytePlace.open`."""
        _check(key)
        try:
            # Small blobs are read so some thousand times a second: no Path, no buffer, no context.
            return os.fdopen(os.open(f"{self._root}/{key}", _TO_READ), "rb", buffering=0)
        except FileNotFoundError:
            raise NotFound(f"there are no bytes under the key {key}") from None
        except OSError as error:
            raise meant(error, self._root, otherwise=DiskFailed) from error

    def path(self, key: str) -> Path | None:
        """See `BytePlace.path`."""
        return self._at(key)

    def delete(self, keys: Iterable[str]) -> Iterable[str]:
        """See `BytePlace.delete`."""
        left = []
        for key in keys:
            try:
                self._at(key).unlink(missing_ok=True)
            except (OSError, NotFound):
                left.append(key)
        return left

    def __iter__(self) -> Iterator[Kept]:
        """Go through all keys that have bytes; what is no key's file is passed over."""
        with _told(self._root):
            folders = sorted(self._folders())
        for folder in folders:
            with _told(self._root):
                found = [kept for entry in _entries(folder) if (kept := _kept(folder, entry))]
            yield from found

    def _folders(self) -> list[Path]:
        top = self._root / "b"
        return [
            top / entry.name
            for entry in _entries(top)
            if _FOLDER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]

    def _at(self, key: str) -> Path:
        """Return the file of a key.

        Raises:
            NotFound: it is none of ours.
        """
        _check(key)
        return self._root / key


def _check(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise NotFound("there are no bytes under this key: it is none of this place")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what lies in a folder, which need not exist."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _kept(folder: Path, entry: os.DirEntry[str]) -> Kept | None:
    """Return the key of a file, or None when it is none or was deleted meanwhile."""
    key = f"b/{folder.name}/{entry.name}"
    if not _KEY.fullmatch(key) or not entry.is_file(follow_symlinks=False):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Kept(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _told(folder: Path) -> AbstractContextManager[None]:
    """See `told_plainly`; what a missing file means depends."""
    return told_plainly(folder, otherwise=DiskFailed, missing_is_told=False)
