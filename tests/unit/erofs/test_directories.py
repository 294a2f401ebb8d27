from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.erofs.directories import DirEntry, decode_block, encode_directory, list_names
from tests.unit.erofs.images import names


@given(st.sets(names, max_size=60))
def test_what_is_encoded_is_decoded(children: set[bytes]) -> None:
    listing = list_names(children)
    nids = [number * 0x123456789ABCDEF % 2**64 for number, _ in enumerate(listing.names)]
    types = [number % 7 + 1 for number in range(len(nids))]
    data = encode_directory(listing, nids, types)
    assert len(data) == listing.size
    found = [
        entry for at in range(0, len(data), 512) for entry in decode_block(data[at : at + 512])
    ]
    expected = zip(sorted([*children, b".", b".."]), nids, types, strict=True)
    assert found == [DirEntry(*entry) for entry in expected]


def test_a_block_is_entries_and_then_names() -> None:
    listing = list_names([b"b", b"!"])
    data = encode_directory(listing, [1, 2, 3, 4], [1, 2, 2, 7])
    numbers = [(1, 48, 1), (2, 49, 2), (3, 50, 2), (4, 52, 7)]
    entries = [
        nid.to_bytes(8, "little") + offset.to_bytes(2, "little") + bytes([file_type, 0])
        for nid, offset, file_type in numbers
    ]
    assert data == b"".join(entries) + b"!" + b"." + b".." + b"b"


def test_a_block_is_filled_to_the_last_byte() -> None:
    # Two entries for the dots take 27 bytes, and 35 of 13 bytes and one of 30 take the rest.
    children = [bytes([number]) for number in range(65, 100)] + [b"\xff" * 18]
    assert list_names(children).size == 512
    assert list_names(children).starts == [0]
    assert list_names([*children, b"\xff" * 19]).starts == [0, 38]


def test_an_entry_and_its_name_share_a_block() -> None:
    listing = list_names([bytes([65 + number]) * 200 for number in range(5)])
    assert listing.starts == [0, 4, 6]
    assert listing.size == 2 * 512 + 12 + 200


@pytest.mark.parametrize(
    "block",
    [
        b"",
        bytes(11),
        bytes(12),
        bytes(8) + b"\x0d\0\1\0" + b"name",
        bytes(8) + b"\x0c\0\1\0",
        bytes(8) + b"\x0c\0\1\0" + b"\0name",
        bytes(8) + b"\x0c\0\1\0" + b"a/b",
        bytes(8) + b"\x0c\0\1\0" + b"a\0b",
        bytes(8) + b"\x0c\0\1\0" + b"n" * 256,
        bytes(8) + b"\xff\xff\1\0" + b"name",
    ],
)
def test_a_malformed_block_is_refused(block: bytes) -> None:
    with pytest.raises(ValueError, match="block"):
        decode_block(block)
