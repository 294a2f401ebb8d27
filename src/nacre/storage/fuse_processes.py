"""The processes that serve the mounts of fuse-overlayfs: which mount is whose, and when one ends.

fuse-overlayfs names all its mounts alike, so what a mount is can only be told by the arguments of
the process behind it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from nacre.storage.mount_namespaces import own, residents

PROGRAM = "fuse-overlayfs"

_PATIENCE = 5.0  # seconds until a process that lost its mount is ended by force
_PAUSE = 0.002
_NAME = b"fsname="


def servers(at: Path) -> list[int]:
    """Return the IDs of the processes that serve what is mounted on a folder."""
    wanted = os.fsencode(at)
    numbers = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return [number for number in numbers if _arguments(number)[-1:] == [wanted]]


def label_of(at: Path) -> str:
    """Return how the mount on a folder was labelled; empty when that is not known."""
    return next(filter(None, map(_label, servers(at))), "")


def end_abandoned(owner: str) -> None:
    """End the processes that serve mounts in namespaces where nobody else is left.

    Each keeps its namespace, with all that is mounted there, and nobody can get in any more.

    Args:
        owner: what the labels of their mounts begin with, or are.
    """
    ended: set[int] = set()
    # More than once: one that was just starting goes on in a child that was not seen.
    while abandoned := set(_abandoned(owner)) - ended:
        for process in abandoned:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGTERM)
        wait_for_end(abandoned)
        ended |= abandoned


def _abandoned(owner: str) -> Iterator[int]:
    for namespace, processes in (residents() or {}).items():
        if namespace != own():
            labels = {process: _label(process) for process in processes}
            if all(label or _is_ending(process) for process, label in labels.items()):
                for process, label in labels.items():
                    if label.partition(":")[0] == owner:
                        yield process


def wait_for_end(of: Iterable[int]) -> None:
    """Wait until processes that lost their mount have ended, and end them if they do not."""
    deadline = time.monotonic() + _PATIENCE
    for server in of:
        while _arguments(server):
            if time.monotonic() > deadline:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(server, signal.SIGKILL)
                break
            time.sleep(_PAUSE)


def _label(server: int) -> str:
    """Return how a mount was labelled by the process that serves it; empty for any other."""
    for argument in _arguments(server):
        for option in argument.split(b","):
            if option.startswith(_NAME):
                return os.fsdecode(option.removeprefix(_NAME))
    return ""


def _is_ending(process: int) -> bool:
    """Say whether a process has no memory any more, and so no arguments to be told by."""
    try:
        return Path(f"/proc/{process}/statm").read_bytes().startswith(b"0 ")
    except OSError:
        return True


def _arguments(process: int) -> list[bytes]:
    """Return the arguments of a process that runs the program; of any other none."""
    try:
        arguments = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []
    is_ours = arguments and Path(os.fsdecode(arguments[0])).name == PROGRAM
    return arguments if is_ours else []
