"""Mounts that end with a block; needs root."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from nacre.storage.fuse_processes import PROGRAM
from nacre.storage.mounting import mount_erofs, mount_overlay, mounts, unmount


@contextmanager
def erofs_mounted(image: Path, devices: Sequence[Path], folder: Path) -> Iterator[Path]:
    """Mount an image on a new folder; the mount goes when the context ends."""
    folder.mkdir()
    mount_erofs(image, devices, folder)
    try:
        yield folder
    finally:
        unmount(folder)


@contextmanager
def overlay_mounted(lowers: Sequence[Path], folder: Path) -> Iterator[Path]:
    """Stack folders on a new one, the first on top, read-only."""
    folder.mkdir()
    mount_overlay(lowers, folder)
    try:
        yield folder
    finally:
        unmount(folder)


def mounted_below(folder: Path) -> list[Path]:
    """Return where something is mounted in a folder, in the order in which it was."""
    return [mount.point for mount in mounts() if folder in mount.point.parents]


def serving_below(folder: Path) -> list[str]:
    """Return where processes serve a mount in a folder, in whichever namespace."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            words = path.read_text(errors="replace").split("\0")
            if words[0] == PROGRAM and words[-2].startswith(f"{folder}/"):
                found.append(words[-2])
    return found


def running_with(word: Path) -> list[int]:
    """Return the IDs of the processes that were given just this path."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if str(word) in path.read_text(errors="replace").split("\0"):
                found.append(int(path.parent.name))
    return found


@contextmanager
def nothing_stays_mounted(folder: Path) -> Iterator[None]:
    """Unmount whatever the block left mounted in a folder; that is a failure if it ended well."""
    try:
        yield
        assert mounted_below(folder) == []
    finally:
        for point in reversed(mounted_below(folder)):
            unmount(point, lazy=True)
