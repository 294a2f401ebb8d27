"""Mounting an EROFS image with its devices, as the kernel's newer calls do it; needs root."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
# The numbers are the same on every architecture.
_MOVE_MOUNT, _FSOPEN, _FSCONFIG, _FSMOUNT = 429, 430, 431, 432
_SET_FLAG, _SET_STRING, _CREATE = 0, 1, 6
_AT_FDCWD, _EMPTY_PATH = -100, 4
_READ_ONLY = 1


@contextmanager
def erofs_mounted(image: Path, devices: Sequence[Path], folder: Path) -> Iterator[Path]:
    """Mount an image on a new folder; the mount goes when the context ends.

    Raises:
        OSError: the kernel refused.
    """
    folder.mkdir()
    context = _call(_FSOPEN, b"erofs", 0)
    try:
        _call(_FSCONFIG, context, _SET_STRING, b"source", os.fsencode(image), 0)
        for device in devices:
            _call(_FSCONFIG, context, _SET_STRING, b"device", os.fsencode(device), 0)
        _call(_FSCONFIG, context, _SET_FLAG, b"ro", None, 0)
        _call(_FSCONFIG, context, _CREATE, None, None, 0)
        mount = _call(_FSMOUNT, context, 0, _READ_ONLY)
    finally:
        os.close(context)
    try:
        _call(_MOVE_MOUNT, mount, b"", _AT_FDCWD, os.fsencode(folder), _EMPTY_PATH)
    finally:
        os.close(mount)
    with _unmounting(folder):
        yield folder


@contextmanager
def overlay_mounted(lowers: Sequence[Path], folder: Path) -> Iterator[Path]:
    """Stack folders on a new one, the first on top, read-only."""
    folder.mkdir()
    options = "lowerdir=" + ":".join(map(str, lowers))
    if _LIBC.mount(b"overlay", os.fsencode(folder), b"overlay", _READ_ONLY, options.encode()):
        raise _error()
    with _unmounting(folder):
        yield folder


@contextmanager
def _unmounting(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        if _LIBC.umount2(os.fsencode(folder), 0):
            raise _error()


def _call(number: int, *arguments: int | bytes | None) -> int:
    result = _LIBC.syscall(number, *arguments)
    if result < 0:
        raise _error()
    assert isinstance(result, int)
    return result


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
