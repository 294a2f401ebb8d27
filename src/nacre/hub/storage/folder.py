"""Blobs in a folder: each key is a file, ``b/<2 hex>/<32 hex>``."""

from __future__ import annotations

import os
import re
import secrets
import stat
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
        root: the folder, which is never made here: where it is missing, a disk is not mounted, and
            what is written beneath would be hidden by it later. Folders in it are made when first
            written to, for nobody else.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._identity = _identity(root)

    def new_key(self) -> str:
        """See `BytePlace.new_key`."""
        name = secrets.token_hex(16)
        return f"b/{name[:2]}/{name}"

    @contextmanager
    def append(self, key: str, offset: int) -> Iterator[Writing]:
        """See `BytePlace.append`."""
        path = self._at(key)
        self.check()
        with _told(self._root):
            file = self._opened(path)
        try:
            with _told(self._root):
                there = os.fstat(file).st_size
                if there > offset:
                    os.ftruncate(file, offset)
                os.lseek(file, offset, os.SEEK_SET)
            if there < offset:
                raise NotFound(f"only {there} of {offset} bytes of the upload are there")
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
        self.check()
        with _told(self._root):
            file = self._opened(path)
            try:
                os.fsync(file)
            finally:
                os.close(file)
            sync_folder(path.parent)
        # An open file lives on in a folder that was moved away meanwhile.
        self.check()

    def open(self, key: str) -> BinaryIO:
        """See `BytePlace.open`."""
        _check(key)
        try:
            # Small blobs are read so some thousand times a second: no Path, no buffer, no context.
            return os.fdopen(os.open(f"{self._root}/{key}", _TO_READ), "rb", buffering=0)
        except FileNotFoundError:
            self.check()
            raise NotFound(f"there are no bytes under the key {key}") from None
        except OSError as error:
            raise meant(error, self._root, otherwise=DiskFailed) from error

    def size(self, key: str) -> int | None:
        """See `BytePlace.size`; what is no file has no bytes."""
        path = self._at(key)
        try:
            with _told(self._root):
                status = path.lstat()
        except FileNotFoundError:
            self.check()
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def path(self, key: str) -> Path | None:
        """See `BytePlace.path`."""
        return self._at(key)

    def delete(self, keys: Iterable[str]) -> Iterable[str]:
        """See `BytePlace.delete`."""
        left = []
        keys = list(keys)
        try:
            self.check()
        except Busy:
            return keys
        for key in keys:
            try:
                self._at(key).unlink(missing_ok=True)
            except (OSError, NotFound):
                left.append(key)
        return left

    def check(self) -> None:
        """See `BytePlace.check`."""
        there = _identity(self._root)
        self._identity = self._identity or there
        if there is None or there != self._identity:
            raise Busy(
                "the hub's folder of blobs was moved away or replaced",
                remedy="whoever runs the hub has to put it back, or start the hub again",
            )

    def __iter__(self) -> Iterator[Kept]:
        """Go through all keys that have bytes; what is no key's file is passed over."""
        self.check()
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


def _identity(folder: Path) -> tuple[int, int] | None:
    """Return what tells a folder from any other that comes to have its name; None: it is gone."""
    try:
        status = os.stat(folder)  # noqa: PTH116 (quicker)
    except OSError:
        return None
    return status.st_dev, status.st_ino


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
