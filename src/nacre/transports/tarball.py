"""A tar whose bytes depend on nothing but names and contents of its files."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nacre.content.diskerrors import disk_errors
from nacre.content.durable import sync_folder
from nacre.layers import tar
from nacre.layers.entry import Entry, Kind


class Tarball:
    """Writes files, and each folder before its first file, without times and owners.

    ``path`` names the tar in errors.
    """

    def __init__(self, out: BinaryIO, path: Path) -> None:
        self.path = path
        self._out = out
        self._folders = {""}

    def add(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        """Write a file of ``size`` bytes, which the pieces must amount to.

        Raises:
            Unavailable: the disk is full, or nobody reads the pipe any more.
        """
        self._add_folder(posixpath.dirname(name))
        self._write(tar.header_blocks(Entry(name.encode(), Kind.REG, 0o644, size=size)))
        for piece in pieces:
            self._write(piece)
        self._write(tar.padding(size))

    def finish(self) -> None:
        """Write the end of the archive."""
        self._write(tar.END_OF_ARCHIVE)
        with disk_errors(self.path):
            self._out.flush()

    def _add_folder(self, name: str) -> None:
        if name in self._folders:
            return
        self._add_folder(posixpath.dirname(name))
        self._folders.add(name)
        self._write(tar.header_blocks(Entry(name.encode(), Kind.DIR, 0o755)))

    def _write(self, data: bytes) -> None:
        with disk_errors(self.path):
            self._out.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Enter the writing of a file that appears, whole and durable, when the block ends well.

    Only its owner may read it.
    What is there already, but is no regular file (a pipe, a device), is written to as it is.

    Raises:
        Denied: the folder cannot be written to.
        Unavailable: the disk is full or failed.
    """
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with disk_errors(path), path.open("wb") as out:
            yield out
        return
    # Not after the file: a name that is as long as names can be must do, too.
    new = path.with_name(f".nacre.{os.urandom(8).hex()}.new")
    try:
        with disk_errors(path.parent):
            # Images hold what not everybody is to read; so does Docker.
            new.touch(0o600, exist_ok=False)
            out = new.open("wb")
        with out:
            yield out
            with disk_errors(path.parent):
                out.flush()
                os.fsync(out.fileno())
        with disk_errors(path.parent):
            new.replace(path)
            sync_folder(path.parent)
    finally:
        new.unlink(missing_ok=True)
