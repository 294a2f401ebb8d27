"""Files and folders that are there after a power cut, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

_NEW = ".new"


def make_folder(path: Path, mode: int) -> None:
    """Make a folder and what is missing above it; one that is there keeps its mode.

    Raises:
        OSError: it cannot be made.
    """
    try:
        _make_last(path, mode)
    except FileNotFoundError:
        if path.parent == path:
            raise
        make_folder(path.parent, mode)
        # Not again from the start: where nothing can be made, as in /proc, that would never end.
        _make_last(path, mode)


def _make_last(path: Path, mode: int) -> None:
    try:
        path.mkdir(mode)
    except FileExistsError:
        if not path.is_dir():
            raise
    else:
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the entries of a folder durable.

    Raises:
        OSError: the disk failed.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def replace_file(path: Path, data: bytes) -> None:
    """Put a small file in place, atomically; only one process at a time may do so per file.

    Raises:
        OSError: the disk failed or is full; the old file is untouched then.
    """
    new = path.with_name(f".{path.name}{_NEW}")
    try:
        # A process that died may have left it; a stranger's layout may have a link in its place.
        new.unlink(missing_ok=True)
        with new.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
