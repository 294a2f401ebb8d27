from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.errors import Invalid
from nacre.layers.ownership import (
    EVERY_ID,
    KEEP,
    NOBODY,
    RECORDED,
    BadMap,
    IdMap,
    IdRange,
    Ownership,
    Unmapped,
    decode_owner,
    encode_owner,
    rootless_map,
    subordinate_ids,
)

NUMBERS = st.integers(0, (1 << 32) - 2)


def test_a_map_shifts_numbers_there_and_back() -> None:
    ids = IdMap((IdRange(0, 1000, 1), IdRange(1, 100_000, 65536)))
    assert [ids.outside(number) for number in (0, 1, 65536)] == [1000, 100_000, 165_535]
    assert [ids.inside(number) for number in (1000, 100_000, 165_535)] == [0, 1, 65536]


@pytest.mark.parametrize("number", [65537, 1 << 31])
def test_what_is_not_in_the_map_is_named(number: int) -> None:
    ids = IdMap((IdRange(0, 1000, 1), IdRange(1, 100_000, 65536)))
    with pytest.raises(Unmapped, match=f"the ID {number} of the layer is not mapped") as caught:
        ids.outside(number)
    assert caught.value.number == number
    assert "subuid" in caught.value.remedy
    with pytest.raises(Unmapped, match="the ID 999 on disk"):
        ids.inside(999)


@given(NUMBERS)
def test_every_number_is_its_own_in_the_map_of_all(number: int) -> None:
    assert EVERY_ID.outside(number) == EVERY_ID.inside(number) == number


def test_the_number_that_means_nobody_is_in_no_map() -> None:
    # chown(2) would take it for: leave it.
    with pytest.raises(Unmapped):
        KEEP.on_disk((1 << 32) - 1, 0)


@pytest.mark.parametrize(
    "ranges",
    [
        ((0, 0, 0),),
        ((-1, 0, 1),),
        ((0, (1 << 32) - 2, 2),),
        ((0, 0, 10), (9, 100, 1)),
        ((0, 0, 10), (10, 5, 1)),
    ],
)
def test_a_malformed_map_is_refused(ranges: tuple[tuple[int, int, int], ...]) -> None:
    with pytest.raises(BadMap):
        IdMap(tuple(IdRange(*one) for one in ranges))


def test_subordinate_ids_are_found_by_name_and_number() -> None:
    text = "# comment\nme:100000:65536\nother:1:2\n1000:300000:10\nme:x:1\nme:7:0\n\n"
    assert subordinate_ids(text, ["me", "1000"]) == ((100_000, 65536), (300_000, 10))
    assert subordinate_ids(text, ["nobody"]) == ()


def test_the_map_of_an_ordinary_user_begins_with_the_user() -> None:
    ids = rootless_map(1000, [(100_000, 10), (300_000, 5)])
    assert [ids.outside(number) for number in (0, 1, 10, 11, 15)] == [
        *(1000, 100_000, 100_009, 300_000, 300_004)
    ]


def test_ownership_maps_users_and_groups_apart() -> None:
    shifted = Ownership(rootless_map(5, [(50, 9)]), rootless_map(6, [(60, 9)]))
    assert shifted.on_disk(0, 1) == (5, 60)
    assert shifted.in_layer(50, 6) == (1, 0)


def test_without_privileges_owners_are_recorded() -> None:
    assert RECORDED.on_disk(12, 34) == (NOBODY, NOBODY)
    assert RECORDED.in_layer(1000, 1000, encode_owner(12, 34)) == (12, 34)
    assert RECORDED.in_layer(1000, 1000) == (0, 0)


@given(NUMBERS, NUMBERS)
def test_a_recorded_owner_is_read_back(uid: int, gid: int) -> None:
    assert decode_owner(encode_owner(uid, gid)) == (uid, gid)


@pytest.mark.parametrize(
    ("value", "owner"),
    [
        (b"", (0, 0)),
        (b"\x08\xe8\x07\x10\xe9\x07", (1000, 1001)),
        (b"\x10\x05", (0, 5)),
        # A tool that records only one of them writes this for the other.
        (b"\x08\xff\xff\xff\xff\x0f\x10\x05", (0, 5)),
    ],
)
def test_the_record_is_the_protocol_buffer_of_other_tools(
    value: bytes, owner: tuple[int, int]
) -> None:
    assert decode_owner(value) == owner


@pytest.mark.parametrize("value", [b"\x08", b"\x08\xff", b"\x18\x01", b"\x08" + b"\x80" * 6])
def test_a_malformed_record_is_refused(value: bytes) -> None:
    with pytest.raises(Invalid, match="a recorded owner is malformed"):
        decode_owner(value)


@given(st.binary(max_size=20))
def test_any_record_is_read_or_refused(value: bytes) -> None:
    try:
        uid, gid = decode_owner(value)
    except Invalid:
        return
    assert 0 <= min(uid, gid) <= max(uid, gid) < 1 << 32
