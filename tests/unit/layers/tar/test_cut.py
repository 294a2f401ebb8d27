"""However an archive is cut or damaged, it gives the same entries or the same error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.errors import NacreError
from nacre.layers.entry import Entry
from nacre.layers.tar import END_OF_ARCHIVE, Scanner
from nacre.layers.tar.header import encode_header
from tests.unit.layers.tar.headers import (
    FILE_BLOCKS,
    extended,
    resummed,
    special,
)

Outcome = tuple[list[Entry], str]


def outcome(data: bytes, size: int) -> Outcome:
    scanner = Scanner(max_entries=50)
    found: list[Entry] = []
    try:
        for start in range(0, len(data), size):
            found += scanner.feed(data[start : start + size])
        scanner.finish()
    except NacreError as error:
        return found, f"{type(error).__name__}: {error}"
    return found, "complete"


SAMPLE = (
    extended((b"path", b"p" * 300), (b"SCHILY.xattr.user.a", b"\0" * 600))
    + FILE_BLOCKS
    + special(b"g", b"")
    + special(b"K", b"t" * 200)
    + special(b"L", b"n" * 600)
    + encode_header(name=b"cut", typeflag=b"2", linkname=b"cut")
    + encode_header(name=b"d/", typeflag=b"5")
    + FILE_BLOCKS
    + END_OF_ARCHIVE
    + b"trailing"
)


@pytest.mark.parametrize("size", [1, 2, 3, 100, 511, 512, 513, 1000, 4096])
def test_how_the_archive_is_cut_does_not_matter(size: int) -> None:
    whole = outcome(SAMPLE, len(SAMPLE))
    assert len(whole[0]) == 4
    assert whole[1] == "complete"
    assert outcome(SAMPLE, size) == whole


@given(
    st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=3),
    st.integers(0, len(SAMPLE)),
    st.booleans(),
    st.sampled_from([1, 7, 512, 700]),
)
@settings(max_examples=200, deadline=None)
def test_a_damaged_archive_gives_the_same_error_however_it_is_cut(
    damage: list[tuple[int, int]], end: int, resum: bool, size: int
) -> None:
    data = bytearray(SAMPLE)
    for position, value in damage:
        data[position] = value
        block = position // 512 * 512
        if resum and data[block + 257 : block + 262] == b"ustar":
            data[block : block + 512] = resummed(bytes(data[block : block + 512]))
    cut = bytes(data[:end])
    expected_entries, expected_end = outcome(cut, max(len(cut), 1))
    entries, ending = outcome(cut, size)
    assert ending == expected_end
    if ending == "complete":
        assert entries == expected_entries


@given(st.binary(max_size=2000))
def test_noise_is_refused_without_a_traceback(noise: bytes) -> None:
    outcome(noise, 512)


@given(st.lists(st.tuples(st.sampled_from("xgLKS0125"), st.binary(max_size=600)), max_size=6))
@settings(deadline=None)
def test_noise_behind_sound_headers_is_refused_without_a_traceback(
    members: list[tuple[str, bytes]],
) -> None:
    outcome(b"".join(special(flag.encode(), body) for flag, body in members), 1 << 20)
