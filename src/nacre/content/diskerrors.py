"""What the operating system says about a folder, told in the categories of nacre."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nacre.errors import Denied, NacreError, Unavailable


class DiskFull(Unavailable):
    """There is no space left; what cannot be finished should give its own back."""

    usual_remedy = "free some space there and try again"


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn an OSError of the block into one that names ``folder`` and a remedy.

    Raises:
        DiskFull: it is.
        Unavailable: the disk failed.
        Denied: the folder is read-only or belongs to somebody else.
    """
    try:
        yield
    except OSError as error:
        raise disk_error(error, folder) from error


def disk_error(error: OSError, folder: Path) -> NacreError:
    """Return what an OSError in ``folder`` means for its user."""
    if error.errno in _FULL:
        return DiskFull(f"no space left on the file system of {folder}")
    if error.errno == errno.EROFS:
        return Denied(f"{folder} is read-only", remedy="use a folder that can be written to")
    if error.errno in _FORBIDDEN:
        return Denied(
            f"no permission for {error.filename or folder}",
            remedy="use a folder of your own or ask its owner",
        )
    reason = os.strerror(error.errno) if error.errno else str(error)
    return Unavailable(f"cannot use {folder}: {reason}", remedy="check the path and the disk")
