"""What can go wrong when a layer becomes a tree."""

from __future__ import annotations

import errno
import os

from nacre.errors import Denied, Invalid, NacreError, Unavailable
from nacre.layers.errors import shown


def _named(path: bytes) -> str:
    return shown(path) if path else "the root"


class BadMember(Invalid):
    """A member of the layer cannot be applied to the tree. ``path`` is its clean path."""

    def __init__(self, path: bytes, problem: str) -> None:
        super().__init__(f"the layer cannot be applied: {_named(path)} {problem}")
        self.path = path


class AttributeTooLarge(BadMember):
    """The file system has no room for an extended attribute, though the disk is not full.

    ``path`` is the clean path of the member.
    """

    usual_remedy = "use a file system that takes larger ones, as xfs does"

    def __init__(self, path: bytes, attribute: bytes, size: int) -> None:
        super().__init__(
            path,
            f"has an extended attribute {shown(attribute)} of {size} bytes, "
            "more than the file system takes",
        )
        self.attribute = attribute


class CannotUnpack(Unavailable):
    """The disk fails or is full. ``path`` is the clean path of the member."""

    usual_remedy = "check the disk and its free space, then try again"

    def __init__(self, path: bytes, problem: str) -> None:
        super().__init__(f"cannot unpack {_named(path)}: {problem}")
        self.path = path


class Forbidden(Denied):
    """The operating system does not let us. ``path`` is the clean path of the member."""

    usual_remedy = "unpack to a folder of your own"

    def __init__(self, path: bytes, problem: str) -> None:
        super().__init__(f"cannot unpack {_named(path)}: {problem}")
        self.path = path


_IMPOSSIBLE = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EFBIG, errno.ELOOP, errno.EMLINK})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def unpack_error(path: bytes, problem: OSError) -> NacreError:
    """Return what an error of the operating system means for the member with a clean path."""
    reason = os.strerror(problem.errno or 0)
    if problem.errno in _IMPOSSIBLE:
        return BadMember(path, f"cannot be made here: {reason}")
    if problem.errno in _FORBIDDEN:
        return Forbidden(path, reason)
    return CannotUnpack(path, reason)
