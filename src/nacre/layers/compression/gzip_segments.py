"""Compressing one segment of a gzip stream: which library, and how hard.

A segment is compressed for itself, as raw deflate that ends on a byte and is not marked as the
last. Its bytes depend on nothing but the segment and the versions of the libraries.
"""

from __future__ import annotations

from isal import isal_zlib
from zlib_ng import zlib_ng

_RAW = -15
# How many tokens ISA-L collects for one block of its own Huffman codes. Fewer than it does by
# default suit layers better, where one kind of content follows the other: 1 % less.
_SHORT_BLOCKS = 2

_SAMPLES, _SAMPLE = 4, 16 * 1024
_TEXT, _NOISE = 0.35, 0.95


def fast(segment: bytes) -> bytes:
    """Compress with ISA-L: very fast."""
    deflate = isal_zlib.compressobj(1, wbits=_RAW)
    return deflate.compress(segment) + deflate.flush(isal_zlib.Z_SYNC_FLUSH)


def balanced(segment: bytes) -> bytes:
    """Compress to within a tenth of what ``gzip -6`` makes of it, as fast as that can be done.

    Text is zlib-ng's: it comes out 7 % smaller than ISA-L makes it, for twice the time. Of
    programs it makes 3 to 5 % less, but that takes three times as long, so those are ISA-L's. What
    is compressed already passes quickly.
    """
    expected = _sampled_ratio(segment)
    if expected > _NOISE:
        return fast(segment)
    if expected < _TEXT:
        return _zlib_ng(segment, 4)
    deflate = isal_zlib.compressobj(3, wbits=_RAW, memLevel=_SHORT_BLOCKS)
    return deflate.compress(segment) + deflate.flush(isal_zlib.Z_SYNC_FLUSH)


def small(segment: bytes) -> bytes:
    """Compress as far as zlib-ng can."""
    return _zlib_ng(segment, 9)


def _zlib_ng(segment: bytes, level: int) -> bytes:
    deflate = zlib_ng.compressobj(level, wbits=_RAW)
    return deflate.compress(segment) + deflate.flush(zlib_ng.Z_SYNC_FLUSH)


def _sampled_ratio(segment: bytes) -> float:
    # What is left of a few parts of it.
    step = max(len(segment) // _SAMPLES, _SAMPLE)
    starts = range(0, len(segment), step)
    sample = b"".join([segment[start : start + _SAMPLE] for start in starts])
    return len(isal_zlib.compress(sample, 1)) / len(sample)
