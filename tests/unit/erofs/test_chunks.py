from __future__ import annotations

import pytest

from nacre.erofs.chunks import MAX_CHUNKS, chunk_count, encode_chunks, is_mappable, stored_size
from nacre.erofs.structures import HOLE, encode_chunk
from nacre.layers.entry import Extent


@pytest.mark.parametrize(
    ("size", "offset", "extents", "expected"),
    [
        (1, 0, None, True),
        (1, 1, None, False),
        (0, 1, None, True),  # there is nothing to map
        (1000, 512, (), True),
        (1000, 512, (Extent(0, 1000),), True),
        (1000, 512, (Extent(512, 488),), True),
        (1000, 512, (Extent(512, 487),), False),
        (1000, 512, (Extent(511, 489),), False),
        (2000, 512, (Extent(0, 512), Extent(1024, 976)), True),
        (2000, 512, (Extent(0, 513), Extent(1024, 976)), False),
    ],
)
def test_data_is_used_where_it_lies_when_it_goes_by_blocks(
    size: int, offset: int, extents: tuple[Extent, ...] | None, expected: bool
) -> None:
    assert is_mappable(size, offset, extents) == expected


def test_a_file_has_so_many_chunks_at_most() -> None:
    extents = (Extent(512, 512),)
    assert is_mappable(512 * MAX_CHUNKS, 0, extents)
    assert not is_mappable(512 * MAX_CHUNKS + 1, 0, extents)
    assert is_mappable(MAX_CHUNKS << 40, 0, None)
    assert not is_mappable((MAX_CHUNKS << 40) + 1, 0, None)


def test_chunks_are_as_large_as_the_places_allow() -> None:
    assert chunk_count(1 << 20, 0, (Extent(1 << 16, 1 << 17),)) == 16
    assert chunk_count(1 << 20, 0, (Extent(1 << 19, 1 << 19),)) == 2
    assert chunk_count(1 << 20, 0, (Extent(1 << 16, 1 << 17), Extent((1 << 20) - 512, 512))) == 2048


def test_data_follows_data_on_the_device_whatever_the_hole() -> None:
    extents = (Extent(1024, 1024), Extent(4096, 100))
    assert encode_chunks(4196, 6, 5 * 512, extents) == b"".join(
        [HOLE, encode_chunk(7, 5), HOLE, HOLE, encode_chunk(7, 7)]
    )


def test_a_chunk_of_several_blocks() -> None:
    assert encode_chunks(8192, 0, 512, (Extent(0, 4096),)) == encode_chunk(1, 1) + HOLE


def test_holes_are_not_stored() -> None:
    assert stored_size(5000, None) == 5000
    assert stored_size(5000, (Extent(0, 512), Extent(1024, 10))) == 522
    assert stored_size(5000, ()) == 0
