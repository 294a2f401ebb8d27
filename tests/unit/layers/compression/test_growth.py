from __future__ import annotations

import gzip
import random

import pytest

from nacre.layers.compression import Compression, Decompressor, Growth, compressor
from nacre.layers.errors import LayerLimit
from nacre.layers.limits import Limits

MIB = 1 << 20
ZEROS = bytes(8 * MIB)
NOISE = random.Random(1).randbytes(MIB)


def inflate(packed: bytes, growth: Growth) -> int:
    decompressor = Decompressor(growth=growth)
    return sum(len(piece) for piece in decompressor.feed(packed)) + len(decompressor.finish())


@pytest.mark.parametrize("kind", [Compression.GZIP, Compression.ZSTD])
def test_a_bomb_stops_where_ratio_and_grace_end(kind: Compression) -> None:
    with compressor(kind) as stream:
        bomb = stream.feed(ZEROS) + stream.finish()
    growth, given = Growth(10, 2 * MIB), 0
    with pytest.raises(LayerLimit, match="more than 10 times its size") as caught:  # noqa: PT012
        for piece in Decompressor(growth=growth).feed(bomb):
            given += len(piece)
    assert (caught.value.limit, caught.value.maximum) == ("ratio", 10)
    assert given <= 2 * MIB + 10 * len(bomb)


def test_within_its_grace_anything_goes() -> None:
    assert inflate(gzip.compress(ZEROS), Growth(1, 8 * MIB)) == len(ZEROS)


def test_within_its_ratio_any_size_goes() -> None:
    assert inflate(gzip.compress(NOISE * 3), Growth(1.1, 1024)) == 3 * MIB


@pytest.mark.parametrize("first", [0, 1])
def test_streams_are_counted_together_in_any_order(first: int) -> None:
    streams = [gzip.compress(ZEROS), gzip.compress(NOISE)]
    for grace, passes in ((8 * MIB, True), (7 * MIB, False)):
        growth, order = Growth(10, grace), [streams[first], streams[1 - first]]
        if passes:
            assert sum(inflate(stream, growth) for stream in order) == 9 * MIB
            continue
        with pytest.raises(LayerLimit):
            [inflate(stream, growth) for stream in order]


def test_many_small_bombs_are_one_large_one() -> None:
    growth, bomb = Growth(10, 20 * MIB), gzip.compress(ZEROS)
    with pytest.raises(LayerLimit):
        [inflate(bomb, growth) for _ in range(3)]


def test_layers_of_one_image_share_a_count() -> None:
    limits = Limits(ratio=10, grace=MIB)
    assert limits.growing() is not limits.growing()
    together = limits.for_one_image()
    assert together.growing() is together.growing()


def test_by_default_gigabytes_of_zeros_are_nothing_unusual() -> None:
    growth = Limits().growing()
    growth.add(4 << 30)
    with pytest.raises(LayerLimit):
        growth.add(1)
