from __future__ import annotations

import gzip
import hashlib

import pytest

from nacre.layers.compression import Compression, compressor
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import CorruptStream, LayerLimit
from nacre.layers.measure import LayerMeter, Measured
from nacre.layers.tar import END_OF_ARCHIVE, header_blocks

LAYER = header_blocks(Entry(b"etc/", Kind.DIR)) + END_OF_ARCHIVE + b"trailing bytes"
MEASURED = Measured(hashlib.sha256(LAYER).hexdigest(), len(LAYER))


def measured(blob: bytes, size: int = 1 << 20) -> Measured:
    meter = LayerMeter()
    for start in range(0, len(blob), size):
        meter.feed(blob[start : start + size])
    return meter.finish()


@pytest.mark.parametrize("kind", [Compression.NONE, Compression.GZIP, Compression.ZSTD])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_the_diff_id_is_of_the_uncompressed_bytes_to_their_end(
    kind: Compression, size: int
) -> None:
    with compressor(kind) as stream:
        blob = stream.feed(LAYER) + stream.finish()
    assert measured(blob, size) == MEASURED


def test_all_members_of_a_gzip_blob_count() -> None:
    assert measured(gzip.compress(LAYER[:700]) + gzip.compress(LAYER[700:])) == MEASURED


@pytest.mark.parametrize("blob", [b"", b"x", b"\x1f\x8b"])
def test_a_blob_too_short_to_tell_is_itself(blob: bytes) -> None:
    assert measured(blob) == (hashlib.sha256(blob).hexdigest(), len(blob))


def test_a_truncated_blob_is_an_error() -> None:
    with pytest.raises(CorruptStream):
        measured(gzip.compress(LAYER)[:-4])


def test_a_limit_holds() -> None:
    meter = LayerMeter(max_output=1000)
    with pytest.raises(LayerLimit):
        meter.feed(gzip.compress(LAYER))
