from __future__ import annotations

import bz2
import gzip
import lzma
import sys

import pytest

from nacre.layers.compression import SNIFF_LENGTH, Compression, sniff
from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import header_blocks

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SAMPLES = {
    Compression.GZIP: gzip.compress(b"text"),
    Compression.ZSTD: zstd.compress(b"text"),
    Compression.BZIP2: bz2.compress(b"text"),
    Compression.XZ: lzma.compress(b"text"),
    Compression.NONE: header_blocks(Entry(b"file", Kind.REG)),
}


@pytest.mark.parametrize("compression", Compression)
def test_a_stream_is_known_by_its_first_bytes(compression: Compression) -> None:
    assert sniff(SAMPLES[compression]) is compression
    assert sniff(SAMPLES[compression][:SNIFF_LENGTH]) is compression


def test_an_empty_bzip2_stream_is_known() -> None:
    assert sniff(bz2.compress(b"")) is Compression.BZIP2


@pytest.mark.parametrize("nibble", range(16))
def test_a_skippable_frame_counts_as_zstd(nibble: int) -> None:
    assert sniff(bytes([0x50 + nibble]) + b"\x2a\x4d\x18") is Compression.ZSTD


@pytest.mark.parametrize("prefix", [b"", b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x07", b"BZh", b"\xfd7zX"])
def test_what_is_not_recognised_is_not_compressed(prefix: bytes) -> None:
    assert sniff(prefix) is Compression.NONE


def test_a_tar_whose_first_name_begins_like_bzip2_is_a_tar() -> None:
    assert sniff(header_blocks(Entry(b"BZh9.txt", Kind.REG))) is Compression.NONE
