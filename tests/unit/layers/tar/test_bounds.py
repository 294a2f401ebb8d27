"""A header cannot lead backward (CVE-2019-20907, CVE-2025-8194) or beyond the limits."""

from __future__ import annotations

import pytest

from nacre.layers.errors import BadArchive, LayerLimit, Truncated
from nacre.layers.tar import Scanner, scan
from nacre.layers.tar.header import encode_header
from tests.unit.layers.tar.headers import (
    FILE_BLOCKS,
    extended,
    patched,
    special,
    with_records,
)


@pytest.mark.parametrize("typeflag", [b"0", b"1", b"5", b"L", b"K", b"x", b"g", b"S"])
def test_a_negative_size_is_refused_in_every_header(typeflag: bytes) -> None:
    block = encode_header(name=b"a", typeflag=typeflag)
    negative = patched(block, 124, (-512).to_bytes(12, "big", signed=True))
    with pytest.raises(BadArchive, match="size is negative"):
        scan(FILE_BLOCKS + negative)


def test_a_pax_record_of_length_zero_does_not_loop() -> None:
    with pytest.raises(BadArchive, match="PAX record"):
        scan(special(b"x", b"0 a=b\n") + FILE_BLOCKS)


# Limits.


def test_the_number_of_entries_is_limited() -> None:
    assert len(scan(FILE_BLOCKS * 3, max_entries=3)) == 3
    with pytest.raises(LayerLimit, match="more than 2 entries") as caught:
        scan(FILE_BLOCKS * 3, max_entries=2)
    assert (caught.value.limit, caught.value.maximum) == ("max_entries", 2)


@pytest.mark.parametrize("key", [b"path", b"linkpath"])
def test_the_length_of_names_is_limited(key: bytes) -> None:
    link = encode_header(name=b"l", typeflag=b"2", linkname=b"t")
    assert scan(extended((key, b"n" * 4096)) + link)
    with pytest.raises(LayerLimit) as caught:
        scan(extended((key, b"n" * 4097)) + link)
    assert caught.value.limit == "max_name"


def test_the_depth_of_names_is_limited() -> None:
    assert with_records((b"path", b"a/" * 512)).name.endswith(b"a/")
    with pytest.raises(LayerLimit) as caught:
        with_records((b"path", b"a/" * 513))
    assert caught.value.limit == "max_depth"


@pytest.mark.parametrize("typeflag", [b"x", b"L", b"K"])
def test_the_size_of_extended_headers_is_limited_before_they_are_read(typeflag: bytes) -> None:
    header = encode_header(name=b"a", size=(1 << 20) + 1, typeflag=typeflag)
    with pytest.raises(LayerLimit) as caught:
        Scanner().feed(header)
    assert caught.value.limit == "max_extended"


def test_a_body_is_never_held() -> None:
    scanner = Scanner()
    (entry,) = scanner.feed(encode_header(name=b"big", size=1 << 32, typeflag=b"0"))
    assert entry.size == 1 << 32
    for _ in range(64):
        scanner.feed(bytes(1 << 20))
        assert len(scanner._held) == 0
    with pytest.raises(Truncated):
        scanner.finish()
