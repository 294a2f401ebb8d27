"""Making one file like another in all but its content."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def copy_attributes(source: Path, target: Path) -> None:
    """Give a file the owner, extended attributes, mode and times of another; links stay links.

    Attributes that this user may not set are left away.

    Raises:
        OSError: another one cannot be read or set.
    """
    found = source.lstat()
    os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)
    for name in os.listxattr(source, follow_symlinks=False):
        value = os.getxattr(source, name, follow_symlinks=False)
        with suppress(PermissionError):
            os.setxattr(target, name, value, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        target.chmod(stat.S_IMODE(found.st_mode))
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns), follow_symlinks=False)
