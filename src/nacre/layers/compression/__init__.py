"""Compressed streams in and out: gzip and zstd, and reading of bzip2 and xz.

The codecs themselves are imported when the first stream needs them.
"""

from nacre.layers.compression.compress import Compressor, Level, compressor
from nacre.layers.compression.decompress import Decompressor
from nacre.layers.compression.growth import Growth
from nacre.layers.compression.kind import SNIFF_LENGTH, Compression, sniff
from nacre.layers.compression.reader import open_decompressed

__all__ = [
    "SNIFF_LENGTH",
    "Compression",
    "Compressor",
    "Decompressor",
    "Growth",
    "Level",
    "compressor",
    "open_decompressed",
    "sniff",
]
