from __future__ import annotations

import io
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.content.store import CorruptBlob
from nacre.content.verify import VerifyingReader, verified
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest

DATA = bytes(range(256)) * 20


def reader(content: bytes, promised: bytes = DATA) -> VerifyingReader:
    return VerifyingReader(io.BytesIO(content), Descriptor.of("x", promised))


@given(st.binary(max_size=2000), st.lists(st.integers(1, 700), min_size=1))
def test_right_bytes_come_through_in_pieces_of_any_size(data: bytes, sizes: list[int]) -> None:
    stream = reader(data, data)
    pieces: list[bytes] = []
    while True:
        piece = stream.read(sizes[len(pieces) % len(sizes)])
        if not piece:
            break
        pieces.append(piece)
    assert b"".join(pieces) == data


def test_readinto_fills_a_buffer() -> None:
    stream, buffer, found = reader(DATA), bytearray(1000), b""
    while count := stream.readinto(buffer):
        found += buffer[:count]
    assert found == DATA


def test_a_buffered_reader_can_be_put_around_it() -> None:
    with io.BufferedReader(reader(DATA)) as stream:
        assert stream.read() == DATA


def test_read_without_a_size_returns_all() -> None:
    assert reader(DATA).read() == DATA
    assert reader(DATA).readall() == DATA


def test_sha512_is_checked_as_such() -> None:
    good = Descriptor("x", Digest.of(DATA, "sha512"), len(DATA))
    bad = Descriptor("x", Digest.of(b"", "sha512"), len(DATA))
    with verified(io.BytesIO(DATA), good) as stream:
        assert stream.read() == DATA
    with verified(io.BytesIO(DATA), bad) as stream, pytest.raises(CorruptBlob):
        stream.read()


def test_a_short_body_is_corrupt() -> None:
    with pytest.raises(CorruptBlob, match=r"ended after 5119 of 5120 bytes"):
        reader(DATA[:-1]).read()


def test_an_over_long_body_is_corrupt() -> None:
    with pytest.raises(CorruptBlob, match=r"is longer than its 5120 bytes"):
        reader(DATA + b"x").read()


def test_other_bytes_are_corrupt() -> None:
    other = bytes(len(DATA))
    with pytest.raises(CorruptBlob, match=f"has digest {Digest.of(other)}"):
        reader(other).read()


def test_an_empty_body_is_checked_too() -> None:
    assert reader(b"", b"").read(10) == b""
    with pytest.raises(CorruptBlob, match="longer than its 0 bytes"):
        reader(b"x", b"").read(10)
    with pytest.raises(CorruptBlob, match="ended after 0"):
        reader(b"").read(10)


def test_the_last_bytes_are_not_handed_on_unchecked() -> None:
    stream = reader(bytes(len(DATA)))
    assert stream.read(len(DATA) - 1)
    with pytest.raises(CorruptBlob):
        stream.read(1)


def test_whoever_reads_just_the_promised_bytes_has_them_checked() -> None:
    with pytest.raises(CorruptBlob):
        reader(DATA + b"x").read(len(DATA))
    with pytest.raises(CorruptBlob):
        reader(DATA + b"x").readinto(bytearray(len(DATA)))


def test_what_is_corrupt_stays_corrupt() -> None:
    stream = reader(DATA + b"x")
    for _ in range(3):
        with pytest.raises(CorruptBlob, match="longer"):
            stream.read()


def test_closing_early_checks_nothing_and_closes_the_source() -> None:
    source = io.BytesIO(bytes(len(DATA)))
    with verified(source, Descriptor.of("x", DATA)) as stream:
        stream.read(10)
    assert source.closed
    stream.close()


def test_reading_nothing_tells_nothing() -> None:
    stream = reader(b"")
    assert stream.read(0) == b""
    assert stream.readinto(bytearray()) == 0


def test_it_reads_and_does_no_more() -> None:
    stream = cast("io.RawIOBase", reader(DATA))
    assert stream.readable()
    assert not stream.writable()
    assert not stream.seekable()
