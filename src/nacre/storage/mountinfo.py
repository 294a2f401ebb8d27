"""The kernel's list of mounts as values; its format is told in proc_pid_mountinfo(5)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nacre.value import Value

_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mount(Value):
    """One mount, as this process sees it."""

    id: int
    parent: int
    """The mount that it is mounted on."""
    device: int
    """What stat(2) calls the device of its files; every mount of one file system has the same."""
    root: Path
    """Which folder of the file system is mounted; ``/`` for all of it."""
    point: Path
    """Where it is mounted."""
    kind: str
    """The type of the file system: ``erofs``, ``overlay``, ``ext4`` ..."""
    source: str
    """What the file system was made from; any text for those that need nothing."""
    options: frozenset[str]
    """Those of the mount and of the file system, such as ``ro`` and ``lowerdir=...``."""


def parse_mounts(text: bytes) -> list[Mount]:
    """Return the mounts of a ``/proc/PID/mountinfo``, in its order; unknown lines are left out."""
    found = (_parse(line) for line in text.splitlines())
    return [mount for mount in found if mount is not None]


def _parse(line: bytes) -> Mount | None:
    # Between the sixth field and a dash there are any number of optional ones.
    front, dash, back = line.partition(b" - ")
    fields, rest = front.split(b" "), back.split(b" ")
    if not dash or len(fields) < 6 or len(rest) < 3:
        return None
    number, parent, device, root, point, options = fields[:6]
    kind, source, more = rest[:3]
    major, _, minor = device.partition(b":")
    return Mount(
        int(number),
        int(parent),
        os.makedev(int(major), int(minor)),
        Path(_unescaped(root)),
        Path(_unescaped(point)),
        _unescaped(kind),
        _unescaped(source),
        frozenset(_unescaped(options).split(",")) | frozenset(_unescaped(more).split(",")),
    )


def _unescaped(field: bytes) -> str:
    """Return a field with spaces, tabs, newlines and backslashes as they were."""
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), field))
