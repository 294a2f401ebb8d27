"""The tar format: bytes to entries and back (POSIX ustar and pax, and what GNU tar adds)."""

from nacre.layers.tar.read import Scanner, scan
from nacre.layers.tar.write import (
    END_OF_ARCHIVE,
    BodyTooShort,
    CannotWrite,
    header_blocks,
    padding,
    write_entry,
)

__all__ = [
    "END_OF_ARCHIVE",
    "BodyTooShort",
    "CannotWrite",
    "Scanner",
    "header_blocks",
    "padding",
    "scan",
    "write_entry",
]
