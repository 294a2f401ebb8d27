"""What the upper directory of a writable top takes from the chain below it."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from nacre.erofs.reader import Image


def dress_upper(upper: Path, image: Path) -> None:
    """Give an upper directory the attributes of the root below it, which it takes the place of.

    Raises:
        OSError: they cannot be set.
    """
    with image.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        index = Image(data)
        root, xattrs = index.inode(index.root), index.xattrs(index.root)
    os.chown(upper, root.uid, root.gid)
    for name, value in xattrs:
        os.setxattr(upper, name, value)
    upper.chmod(root.mode & 0o7777)
    time = root.mtime * 10**9 + root.mtime_nsec
    os.utime(upper, ns=(time, time))
