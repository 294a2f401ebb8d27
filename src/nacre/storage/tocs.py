"""Tables of contents kept beside the layers, a file each.

A table can always be made anew from its layer, so one that is damaged, or that belongs to another
layer, counts as not there. ::

    <algorithm>-<hash>.toc          a table
    <algorithm>-<hash>.<random>     one being written, or that was when a process died
    <algorithm>-<hash>.lock         is locked by whoever makes what belongs to a layer

The folder is made for its owner alone when something is first put there. Reading never writes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from nacre.content.diskerrors import disk_error, disk_errors
from nacre.content.durable import make_folder, sync_folder
from nacre.content.locking import keep_waiting, locked_file, remove_unlocked
from nacre.layers.toc.codec import DamagedToc, decode, encode
from nacre.layers.toc.table import Toc
from nacre.oci.digest import Digest, InvalidDigest

_PRIVATE = 0o700
_TABLE, _LOCK = ".toc", ".lock"
_ABSENT = (FileNotFoundError, NotADirectoryError)
_NAME = re.compile(r"(sha256|sha512)-([0-9a-f]+)\.(?:toc|lock|[0-9a-f]{16})")


class Tocs:
    """Tables of contents in a folder, safe for many processes and threads at once.

    Args:
        folder: where they lie; made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, layer: Digest) -> Toc | None:
        """Return the table of a layer; None when there is none, or a damaged one.

        Raises:
            Denied, Unavailable: the folder cannot be read.
        """
        try:
            toc = decode(self._file(layer, _TABLE).read_bytes())
        except _ABSENT:
            return None
        except DamagedToc:
            return None
        except OSError as error:
            raise disk_error(error, self._folder) from error
        return toc if toc.layer == layer else None

    def put(self, toc: Toc) -> None:
        """Keep a table, durably, in place of what was there.

        Raises:
            Denied: the folder cannot be written to.
            Unavailable: the disk is full or failed.
        """
        new = self._file(toc.layer, f".{os.urandom(8).hex()}")
        with disk_errors(self._folder):
            make_folder(self._folder, _PRIVATE)
            with locked_file(new) as descriptor:
                try:
                    _write(descriptor, encode(toc))
                    new.replace(self._file(toc.layer, _TABLE))
                except BaseException:
                    _unlink(new)
                    raise
            sync_folder(self._folder)

    def remove(self, layer: Digest) -> None:
        """Drop the table of a layer; one that is not here is no error."""
        with disk_errors(self._folder):
            _unlink(self._file(layer, _TABLE))

    def __iter__(self) -> Iterator[Digest]:
        """Go through the layers that have a table, in no order."""
        return (layer for name, layer in self._files() if name.endswith(_TABLE))

    def size(self, layer: Digest) -> int:
        """Return how many bytes of disk the table of a layer takes; 0 when there is none."""
        with suppress(*_ABSENT):
            return self._file(layer, _TABLE).stat().st_size
        return 0

    @contextmanager
    def making(
        self, layer: Digest, *, waiting: Callable[[], None] = keep_waiting
    ) -> Iterator[None]:
        """Enter the making of what belongs to a layer: one thread of one process at a time.

        Args:
            layer: its diff ID.
            waiting: called about twenty times a second while somebody else is at it; what it
                raises ends the wait.

        Raises:
            Denied: the folder cannot be written to.
            Unavailable: the disk is full or failed.
        """
        lock = self._file(layer, _LOCK)
        with ExitStack() as stack:
            with disk_errors(self._folder):
                make_folder(self._folder, _PRIVATE)
                stack.enter_context(locked_file(lock, waiting=waiting))
                # While it is held, so that whoever waits for it notices.
                stack.callback(_unlink, lock)
            yield

    def keep_only(self, layers: Container[Digest]) -> int:
        """Remove the tables of all other layers, and what dead processes left.

        Returns:
            how many bytes became free.
        """
        freed = 0
        with disk_errors(self._folder):
            for name, layer in self._files():
                path = self._folder / name
                if not name.endswith(_TABLE):
                    freed += remove_unlocked(path)
                elif layer not in layers:
                    freed += _unlink(path)
        return freed

    def _file(self, layer: Digest, suffix: str) -> Path:
        return self._folder / f"{layer.file_name}{suffix}"

    def _files(self) -> Iterator[tuple[str, Digest]]:
        try:
            names = [path.name for path in self._folder.iterdir()]
        except _ABSENT:
            return
        except OSError as error:
            raise disk_error(error, self._folder) from error
        for name in names:
            if match := _NAME.fullmatch(name):
                with suppress(InvalidDigest):
                    yield name, Digest(f"{match[1]}:{match[2]}")


def _write(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.fsync(descriptor)


def _unlink(path: Path) -> int:
    with suppress(*_ABSENT):
        size = path.stat().st_size
        path.unlink()
        return size
    return 0
