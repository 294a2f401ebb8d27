from __future__ import annotations

import gzip
import subprocess
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.layers.compression import Decompressor
from nacre.layers.compression.gzip_member import header_length
from nacre.layers.errors import CorruptStream

TEXT = b"mother of pearl" * 50
BODY = gzip.compress(TEXT, mtime=0)[10:]


def header(flags: int, *, extra: bytes = b"e" * 500) -> bytes:
    text = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\xff"
    if flags & 4:
        text += len(extra).to_bytes(2, "little") + extra
    if flags & 8:
        text += b"name\0"
    if flags & 16:
        text += b"comment\0"
    if flags & 2:
        text += (zlib.crc32(text) & 0xFFFF).to_bytes(2, "little")
    return text


@pytest.mark.parametrize("flags", range(32))
@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_optional_fields_are_passed_over_however_they_are_cut(flags: int, size: int) -> None:
    data = header(flags) + BODY
    decompressor = Decompressor()
    found = b""
    for start in range(0, len(data), size):
        found += b"".join(decompressor.feed(data[start : start + size]))
    assert found + decompressor.finish() == TEXT


def test_the_gzip_command_agrees_on_optional_fields() -> None:
    done = subprocess.run(["gzip", "-dc"], input=header(30) + BODY, capture_output=True, check=True)
    assert done.stdout == TEXT


@pytest.mark.parametrize("flags", range(32))
def test_a_header_is_complete_at_its_last_byte(flags: int) -> None:
    text = header(flags)
    assert all(header_length(text[:cut]) is None for cut in range(len(text)))
    assert header_length(text) == header_length(text + BODY) == len(text)


@pytest.mark.parametrize("flag", [0x20, 0x40, 0x80])
def test_reserved_flags_are_refused(flag: int) -> None:
    with pytest.raises(ValueError, match="reserved"):
        header_length(header(flag))


def test_the_checksum_of_a_header_is_verified() -> None:
    text = header(2)
    with pytest.raises(ValueError, match="checksum"):
        header_length(text[:-1] + bytes([text[-1] ^ 1]))


def test_a_header_without_end_is_refused() -> None:
    decompressor = Decompressor()
    endless = header(8)[:-1] + b"n" * 200_000
    with pytest.raises(CorruptStream, match="too long"):
        list(decompressor.feed(endless))


@given(st.binary(max_size=60))
def test_any_header_is_measured_or_refused(noise: bytes) -> None:
    try:
        length = header_length(b"\x1f\x8b\x08" + noise)
    except ValueError:
        return
    assert length is None or 10 <= length <= 3 + len(noise)
