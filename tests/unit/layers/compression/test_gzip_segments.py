"""How one segment of a gzip stream is compressed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.layers.compression import gzip_segments
from nacre.layers.compression.gzip_stream import SEGMENT

Compress = Callable[[bytes], bytes]
ALL: list[Compress] = [gzip_segments.fast, gzip_segments.balanced, gzip_segments.small]
SOURCES = b"".join(
    path.read_bytes() for path in sorted(Path(random.__file__).parent.glob("[a-m]*.py"))
)[:SEGMENT]
NOISE = random.Random(4).randbytes(SEGMENT)


def library() -> bytes:
    """Return machine code: the largest library that this interpreter has loaded."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    found = {Path(line.split(maxsplit=5)[5]) for line in lines if ".so" in line}
    return max(found, key=lambda path: path.stat().st_size).read_bytes()[:SEGMENT]


def inflated(*segments: bytes) -> bytes:
    inflate = zlib.decompressobj(-15)
    return b"".join(inflate.decompress(segment) for segment in segments)


def of_gzip_6(data: bytes) -> int:
    return len(zlib.compress(data, 6, wbits=-15))


@given(data=st.binary(max_size=200), other=st.binary(max_size=200))
@pytest.mark.parametrize("compress", ALL)
def test_segments_follow_each_other(compress: Compress, data: bytes, other: bytes) -> None:
    assert inflated(compress(data or b"x"), compress(other or b"y")) == (data or b"x") + (
        other or b"y"
    )


@pytest.mark.parametrize("compress", ALL)
@pytest.mark.parametrize("data", [SOURCES, NOISE, bytes(SEGMENT), library()])
def test_a_whole_segment_comes_back(compress: Compress, data: bytes) -> None:
    assert inflated(compress(data)) == data


@pytest.mark.parametrize("data", [SOURCES, library()], ids=["text", "program"])
def test_balanced_is_within_a_tenth_of_gzip_6(data: bytes) -> None:
    assert len(gzip_segments.balanced(data)) <= 1.1 * of_gzip_6(data)


def test_text_comes_out_smaller_than_the_fast_way_makes_it() -> None:
    assert len(gzip_segments.balanced(SOURCES)) < 0.92 * len(gzip_segments.fast(SOURCES))


def test_what_is_compressed_already_takes_the_fast_way() -> None:
    assert gzip_segments.balanced(NOISE) == gzip_segments.fast(NOISE)
    assert len(gzip_segments.balanced(NOISE)) < 1.001 * len(NOISE)


def test_the_kind_of_content_is_seen_behind_a_beginning_of_another_kind() -> None:
    mixed = NOISE[: SEGMENT // 8] + SOURCES[: SEGMENT * 7 // 8]
    assert len(gzip_segments.balanced(mixed)) < len(gzip_segments.fast(mixed))
