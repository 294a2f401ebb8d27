"""This Python, the project and the command ``nacre``, where everybody can read and run them.

All may lie in root's own home, closed for others. Root may show them to the processes of one mount
namespace, without changing what others see.
"""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

_NEW_MOUNTS = 0x00020000
_KERNEL = ("/proc", "/sys", "/dev")
_PROJECT = Path(__file__).parents[2]


def confine(folder: Path) -> None:
    """Let this process, which is root's, and all that it starts write to one folder only.

    The machine's other file systems are read-only for it, so what breaks out of a tree in there
    harms nothing. It cannot go back.
    """
    _enter_own_namespace()
    _mount("--bind", str(folder), str(folder))
    inside = os.path.realpath(folder)
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in points:
        # What others mount for their own tests comes and goes.
        if point != inside and not point.startswith((*_KERNEL, f"{tempfile.gettempdir()}/")):
            _mount("-o", "remount,bind,ro", point)


def _enter_own_namespace() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("--make-rprivate", "/")


def expose() -> None:
    """Let this process, which is root's, and all that it starts see them; it cannot go back."""
    _enter_own_namespace()
    wanted = {Path(path).resolve() for path in (sys.base_prefix, sys.prefix, _PROJECT)}
    for folder in {closed for path in wanted if (closed := _closed_above(path))}:
        _open_up(folder, [path for path in wanted if path.is_relative_to(folder)])


def _closed_above(path: Path) -> Path | None:
    """Return the first folder on the way to a path that others may not pass."""
    ways = (*reversed(path.parents), path)
    return next((way for way in ways if not way.stat().st_mode & stat.S_IXOTH), None)


def _open_up(folder: Path, wanted: list[Path]) -> None:
    """Hide a folder behind one in which there is only what is wanted."""
    held = {path: os.open(path, os.O_PATH) for path in sorted(wanted)}
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(folder))
    for path, file in held.items():
        path.mkdir(parents=True, exist_ok=True)
        _mount("--no-canonicalize", "--bind", f"/proc/self/fd/{file}", str(path), file=file)
        os.close(file)


def _mount(*arguments: str, file: int | None = None) -> None:
    passed = () if file is None else (file,)
    subprocess.run(["mount", *arguments], check=True, pass_fds=passed)
