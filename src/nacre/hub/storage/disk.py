"""What the disk under a hub says, in the hub's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nacre.content.diskerrors import DiskFull, disk_error
from nacre.hub.errors import Busy, OutOfSpace


@contextmanager
def told_plainly(
    folder: Path, *, otherwise: type[Busy], missing_is_told: bool = True
) -> Iterator[None]:
    """Turn errors of the disk in the block into those of the hub.

    Args:
        folder: which they are about.
        otherwise: what an error is unless the disk is full.
        missing_is_told: whether a file that is not there is such an error.

    Raises:
        OutOfSpace: there is no space left.
        Busy: anything else of the disk; of the kind ``otherwise``.
        FileNotFoundError: as it is, where what it means depends on who asks.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not missing_is_told:
            raise
        raise meant(error, folder, otherwise=otherwise) from error


def meant(error: OSError, folder: Path, *, otherwise: type[Busy]) -> Busy | OutOfSpace:
    """Return the hub's error for one of the disk."""
    meaning = disk_error(error, folder)
    kind = OutOfSpace if isinstance(meaning, DiskFull) else otherwise
    return kind(str(meaning), remedy=meaning.remedy)
