from __future__ import annotations

import tarfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nacre.layers.tar.header import c_string, decode_header, decode_number, encode_header


def resummed(block: bytes, *, signed: bool = False) -> bytes:
    values = [byte - 256 if signed and byte > 127 else byte for byte in block]
    values[148:156] = [0x20] * 8
    return block[:148] + b"%06o\0 " % sum(values) + block[156:]


def patched(block: bytes, offset: int, value: bytes) -> bytes:
    return resummed(block[:offset] + value + block[offset + len(value) :])


PLAIN = encode_header(name=b"etc/passwd", size=11, mtime=1_700_000_000, typeflag=b"0")


@pytest.mark.parametrize(
    ("field", "number"),
    [
        (b"0000644\0", 0o644),
        (b"   644 \0", 0o644),
        (b"644\0junk", 0o644),
        (b"\0\0\0\0\0\0\0\0", 0),
        (b"        ", 0),
        (b"77777777", 0o77777777),
        (b"\x80\0\0\0\0\0\0\x05", 5),
        (b"\x80\0\0\0\x80\0\0\0", 1 << 31),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff", -1),
        (b"\xff\xff\xff\xff\xff\xff\xff\x00", -256),
        (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", (1 << 63) - 1),
        (b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", -(1 << 63)),
    ],
)
def test_numbers_are_octal_or_base_256(field: bytes, number: int) -> None:
    assert decode_number(field) == number


@pytest.mark.parametrize(
    "field",
    [
        b"0000648\0",
        b"-1\0\0\0\0\0\0",
        b"+1      ",
        b"0o7\0\0\0\0\0",
        b"1_0\0\0\0\0\0",
        b"1 0\0    ",
    ],
)
def test_what_int_would_take_but_octal_is_not_is_refused(field: bytes) -> None:
    with pytest.raises(ValueError, match="octal"):
        decode_number(field)


@pytest.mark.parametrize(
    "field", [b"\x80\0\0\0\x80" + bytes(7), b"\xff\xff\xff\xff\x7f" + bytes(7)]
)
def test_base_256_beyond_64_bits_is_refused(field: bytes) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        decode_number(field)


@given(st.integers(-(1 << 62), 1 << 62))
@example(0)
def test_base_256_agrees_with_tarfile(number: int) -> None:
    field = tarfile.itn(number, 12, tarfile.GNU_FORMAT)  # type: ignore[attr-defined]
    assert decode_number(field) == number


def test_a_c_string_ends_at_its_first_nul() -> None:
    assert c_string(b"name\0left over\0") == b"name"
    assert c_string(b"full") == b"full"


def test_the_checksum_is_verified() -> None:
    assert decode_header(PLAIN).name == b"etc/passwd"
    with pytest.raises(ValueError, match="checksum"):
        decode_header(b"f" + PLAIN[1:])


def test_what_has_no_checksum_is_no_header() -> None:
    with pytest.raises(ValueError, match="no checksum"):
        decode_header(b"text" * 128)


def test_the_checksum_of_a_header_that_is_not_ascii_is_exact() -> None:
    block = patched(PLAIN, 0, b"\xff" * 100)
    assert decode_header(block).name == b"\xff" * 100
    # 65521 more or less would be the same to Adler-32.
    wrong = block[:148] + b"%06o\0 " % (int(block[148:154], 8) + 65521) + block[156:]
    with pytest.raises(ValueError, match="checksum"):
        decode_header(wrong)


def test_a_signed_checksum_is_accepted() -> None:
    block = PLAIN[:0] + b"caf\xc3\xa9".ljust(100, b"\0") + PLAIN[100:]
    signed = resummed(block, signed=True)
    assert signed != resummed(block)
    assert decode_header(signed).name == b"caf\xc3\xa9"


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size is negative"):
        decode_header(patched(PLAIN, 124, b"\xff" * 12))


def test_a_ustar_prefix_is_put_before_the_name() -> None:
    assert decode_header(patched(PLAIN, 345, b"usr/share")).name == b"usr/share/etc/passwd"


def test_a_v7_header_has_no_prefix() -> None:
    block = patched(patched(PLAIN, 257, bytes(8)), 345, b"usr/share")
    assert decode_header(block).name == b"etc/passwd"


def test_a_star_prefix_ends_before_its_times() -> None:
    prefix = b"p" * 131 + b"00000000001 00000000002 "
    block = patched(patched(PLAIN, 345, prefix), 508, b"tar\0")
    assert decode_header(block).name == b"p" * 131 + b"/etc/passwd"


def test_gnu_times_are_no_prefix() -> None:
    gnu = patched(PLAIN, 257, b"ustar  \0")
    block = patched(gnu, 345, b"14524770000\0" + b"14524770001\0")
    assert decode_header(block).name == b"etc/passwd"


def test_the_prefix_that_old_go_wrote_into_gnu_headers_is_read() -> None:
    gnu = patched(PLAIN, 257, b"ustar  \0")
    assert decode_header(patched(gnu, 345, b"usr/share")).name == b"usr/share/etc/passwd"


@given(
    mode=st.integers(0, 0o7777),
    ids=st.integers(0, 0o7777777),
    size=st.integers(0, 0o77777777777),
    mtime=st.integers(0, 0o77777777777),
)
def test_what_is_encoded_is_decoded(mode: int, ids: int, size: int, mtime: int) -> None:
    header = decode_header(
        encode_header(name=b"a", mode=mode, uid=ids, gid=ids, size=size, mtime=mtime, typeflag=b"0")
    )
    assert header[:7] == (b"a", mode, ids, ids, size, mtime, b"0")
