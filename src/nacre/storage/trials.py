"""Where storage drivers are tried: nothing of a trial stays, also not of one that was killed.

Whoever is killed in the middle leaves a folder, mounts in it and perhaps a process that serves one
of them. Those who try next, or use a driver, find by its lock that nobody is at it any more. ::

    <folder>/trial-<random>         what a trial makes, and mounts
    <folder>/trial-<random>.lock    locked by whoever tries
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nacre.content.locking import locked_file
from nacre.errors import Conflict, NacreError
from nacre.layers.removal import remove
from nacre.storage.mounting import mounts, unmount

_PRIVATE = 0o700
_LOCK = ".lock"
_OWN = re.compile(r"(trial-[0-9a-f]{16})\.lock")


@contextmanager
def trial_folder(folder: Path) -> Iterator[Path]:
    """Enter a trial: gives an empty folder, without links on the way, that goes in the end.

    Args:
        folder: where the store is, or would be; it exists.

    Raises:
        OSError: it cannot be written to.
    """
    clear_trials(folder)
    trial = Path(os.path.realpath(folder)) / f"trial-{os.urandom(8).hex()}"
    lock = trial.with_name(trial.name + _LOCK)
    with locked_file(lock):
        try:
            trial.mkdir(_PRIVATE)
            yield trial
        finally:
            _clear(trial, lock)


def clear_trials(folder: Path) -> None:
    """Remove the trials that dead processes left in a folder, as far as that can be."""
    with suppress(OSError):
        for lock in Path(os.path.realpath(folder)).iterdir():
            if found := _OWN.fullmatch(lock.name):
                # A lock that went meanwhile is made anew for a moment, and goes again.
                with suppress(Conflict, OSError), locked_file(lock, waiting=_busy):
                    _clear(lock.with_name(found[1]), lock)


def _busy() -> None:
    raise Conflict("it is being tried")


def _clear(trial: Path, lock: Path) -> None:
    """Remove a trial, and its lock with the last of it: else the next one tries again."""
    with suppress(NacreError, OSError):
        _end_mounts(trial)
        with suppress(FileNotFoundError):
            _remove(trial)
        lock.unlink(missing_ok=True)


def _end_mounts(trial: Path) -> None:
    for mounted in reversed(mounts()):
        if mounted.point.is_relative_to(trial):
            if mounted.kind.startswith("fuse"):
                # Most commands find nothing, and are to start quickly.
                from nacre.storage.fuse_mounts import unmount_served  # noqa: PLC0415

                unmount_served(mounted.point)
            else:
                unmount(mounted.point, lazy=True)


def _remove(trial: Path) -> None:
    parent = os.open(trial.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        remove(parent, os.fsencode(trial.name))
    finally:
        os.close(parent)
