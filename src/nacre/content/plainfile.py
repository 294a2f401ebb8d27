"""Opening files of folders that strangers may have made."""

from __future__ import annotations

import os
import stat
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


class NotAPlainFile(OSError):
    """What lies there is a folder, a pipe or a device."""


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file for unbuffered reading; never waits, as opening a pipe would.

    Raises:
        NotAPlainFile: it is something else.
        OSError: it cannot be opened.
    """
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise NotAPlainFile(f"{path} is not a file")
    return os.fdopen(number, "rb", buffering=0)
