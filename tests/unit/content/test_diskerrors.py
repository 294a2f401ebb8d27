from __future__ import annotations

import errno
from pathlib import Path

import pytest

from nacre.content.diskerrors import DiskFull, disk_errors
from nacre.errors import Denied, NacreError, Unavailable

FOLDER = Path("/store")


@pytest.mark.parametrize(
    ("number", "category", "message"),
    [
        (errno.ENOSPC, DiskFull, "no space left on the file system of /store"),
        (errno.EDQUOT, DiskFull, "no space left on the file system of /store"),
        (errno.EFBIG, DiskFull, "no space left on the file system of /store"),
        (errno.EROFS, Denied, "/store is read-only"),
        (errno.EACCES, Denied, "no permission for /store/x"),
        (errno.EPERM, Denied, "no permission for /store/x"),
        (errno.EIO, Unavailable, "cannot use /store: Input/output error"),
    ],
)
def test_an_error_names_the_folder(number: int, category: type[NacreError], message: str) -> None:
    with pytest.raises(category) as caught, disk_errors(FOLDER):
        raise OSError(number, "", "/store/x")
    assert str(caught.value) == message


def test_a_full_disk_comes_with_a_remedy() -> None:
    with pytest.raises(DiskFull) as caught, disk_errors(FOLDER):
        raise OSError(errno.ENOSPC, "")
    assert caught.value.remedy


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="other"), disk_errors(FOLDER):
        raise ValueError("other")
