"""Everything that can be said of a tree on disk, as values to be compared."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple


class Seen(NamedTuple):
    """What one name of a tree is."""

    mode: int
    uid: int
    gid: int
    mtime_ns: int
    rdev: int
    size: int
    """Length of a file, zero for the rest."""
    content: str
    """SHA-256 of a file, target of a link."""
    links: bytes
    """The first of the names of this inode."""
    nlink: int
    """How many names an inode has; zero for a directory, which counts as its file system likes."""
    xattrs: tuple[tuple[str, bytes], ...]


def snapshot(root: Path) -> dict[bytes, Seen]:
    """Return all names below a folder, relative to it; the folder itself is the empty name."""
    start = os.fsencode(root)
    first: dict[int, bytes] = {}
    seen = {b"": _seen(start, b"", first)}
    for folder, directories, files in os.walk(start):
        for name in sorted(directories + files):
            path = os.path.join(folder, name)
            relative = path[len(start) + 1 :]
            seen[relative] = _seen(path, relative, first)
        directories.sort()
    return seen


def _seen(path: bytes, relative: bytes, first: dict[int, bytes]) -> Seen:
    found = os.lstat(path)
    is_file, is_directory = stat.S_ISREG(found.st_mode), stat.S_ISDIR(found.st_mode)
    return Seen(
        found.st_mode,
        found.st_uid,
        found.st_gid,
        found.st_mtime_ns,
        found.st_rdev,
        found.st_size if is_file else 0,
        _content(path, found.st_mode),
        first.setdefault(found.st_ino, relative),
        0 if is_directory else found.st_nlink,
        tuple(
            (name, os.getxattr(path, name, follow_symlinks=False))
            for name in sorted(os.listxattr(path, follow_symlinks=False))
        ),
    )


def _content(path: bytes, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return os.fsdecode(os.readlink(path))
    if not stat.S_ISREG(mode):
        return ""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
