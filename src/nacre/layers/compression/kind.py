"""The compressions a layer or an archive may come in, told apart by their first bytes."""

from __future__ import annotations

import re
from enum import Enum


class Compression(Enum):
    """How a stream is compressed; the value is the name people know it by."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    XZ = "xz"


SNIFF_LENGTH = 10
"""As many first bytes as ``sniff`` can make use of."""

# Longer than the two or three letters that file(1) is content with: the name of a tar's first
# member stands in the same place, and may begin with anything.
_MAGIC = {
    Compression.GZIP: re.compile(rb"\x1f\x8b\x08"),
    Compression.ZSTD: re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    Compression.BZIP2: re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    Compression.XZ: re.compile(rb"\xfd7zXZ\x00"),
}


def sniff(prefix: bytes) -> Compression:
    """Return the compression of a stream that begins with ``prefix``.

    ``NONE`` when nothing is recognised. A frame that zstd readers skip counts as zstd.
    """
    for compression, magic in _MAGIC.items():
        if magic.match(prefix):
            return compression
    return Compression.NONE
