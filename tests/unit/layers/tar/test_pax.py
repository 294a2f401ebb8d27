from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.layers.tar import pax

keys = st.binary(min_size=1, max_size=40).filter(lambda key: b"=" not in key and b"\0" not in key)
records = st.lists(st.tuples(keys, st.binary(max_size=200)), max_size=8)


@given(records)
def test_records_round_trip(pairs: list[pax.Record]) -> None:
    assert pax.parse_records(pax.format_records(pairs)) == pairs


@pytest.mark.parametrize("length", [*range(1, 120), 989, 990, 991, 9_980, 9_990, 99_990])
def test_a_length_counts_itself(length: int) -> None:
    body = pax.format_records([(b"k", b"v" * length)])
    assert int(body.split(b" ")[0]) == len(body)
    assert pax.parse_records(body) == [(b"k", b"v" * length)]


def test_a_value_may_hold_newlines_equal_signs_and_nul() -> None:
    body = pax.format_records([(b"SCHILY.xattr.user.x", b"a=b\n12 c=d\n\0")])
    assert pax.parse_records(body) == [(b"SCHILY.xattr.user.x", b"a=b\n12 c=d\n\0")]


@pytest.mark.parametrize(
    "body",
    [
        b"5 a=b\n",  # too short
        b"7 a=b\n",  # too long
        b"-6 a=b\n",
        b"+6 a=b\n",
        b"0 a=b\n",
        b"1 a=b\n",
        b"6_0 a=b\n",
        b" 6 a=b\n",
        b"a=b\n",
        b"6 a=b ",  # no newline
        b"6 a=b\n\0\0",
        b"6 a=b\n6 a=",
        b"99999999999999999999999 a=b\n",
        b"18446744073709551622 a=b\n",
        b"5 ab\n",
        b"5 =b\n",
        b"7 \0a=b\n",
        b"4  \n",
        b"3 \n",
        b"6",
    ],
)
def test_a_malformed_record_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="PAX record"):
        pax.parse_records(body)


@given(st.binary(max_size=300))
def test_arbitrary_bodies_are_parsed_or_refused(body: bytes) -> None:
    try:
        pairs = pax.parse_records(body)
    except ValueError:
        return
    # Leading zeros of a length are the only thing that is not kept.
    assert len(pax.format_records(pairs)) <= len(body)


@pytest.mark.parametrize("value", [b"", b"-1", b"+1", b"1.0", b"1_0", b"0x1", b" 1", b"9" * 5000])
def test_a_number_is_decimal_digits(value: bytes) -> None:
    with pytest.raises(ValueError, match="decimal number"):
        pax.parse_number(value)


def test_a_number_has_63_bits() -> None:
    assert pax.parse_number(b"9223372036854775807") == (1 << 63) - 1
    with pytest.raises(ValueError, match="63 bits"):
        pax.parse_number(b"9223372036854775808")


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (b"0", (0, 0)),
        (b"1350244992.023960108", (1350244992, 23960108)),
        (b"1350244992.", (1350244992, 0)),
        (b"+5.5", (5, 500_000_000)),
        (b"-1", (-1, 0)),
        (b"-1.5", (-2, 500_000_000)),
        (b"-0.000000001", (-1, 999_999_999)),
        (b"1.1234567899", (1, 123_456_789)),
        (b"-9223372036854775807", (-((1 << 63) - 1), 0)),
    ],
)
def test_a_time_is_rounded_down_to_seconds(value: bytes, time: tuple[int, int]) -> None:
    assert pax.parse_time(value) == time


@pytest.mark.parametrize(
    "value", [b"", b".5", b"1e5", b"--1", b"1.5.5", b"1 ", b"nan", b"1.x", b"9223372036854775808"]
)
def test_what_is_no_time_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="not a time"):
        pax.parse_time(value)


def test_xattrs_are_raw_and_sorted() -> None:
    found = pax.parse_xattrs(
        {
            b"SCHILY.xattr.user.b": b"\0=\n",
            b"SCHILY.xattr.security.capability": b"\x01\0\0\x02",
            b"SCHILY.xattr.user.empty": b"",
            b"path": b"x",
        }
    )
    assert found == (
        (b"security.capability", b"\x01\0\0\x02"),
        (b"user.b", b"\0=\n"),
        (b"user.empty", b""),
    )


@pytest.mark.parametrize("padded", [True, False])
def test_libarchive_xattrs_are_unescaped(padded: bool) -> None:
    value = base64.b64encode(b"\xff\0value")
    assert len(value) % 4 == 0
    assert value.endswith(b"=")
    records = {b"LIBARCHIVE.xattr.user.a%20b%3D": value if padded else value.rstrip(b"=")}
    assert pax.parse_xattrs(records) == ((b"user.a b=", b"\xff\0value"),)


def test_of_two_forms_of_an_xattr_the_raw_one_counts() -> None:
    records = {b"LIBARCHIVE.xattr.user.a": b"eHg", b"SCHILY.xattr.user.a": b"raw"}
    assert pax.parse_xattrs(records) == ((b"user.a", b"raw"),)


@pytest.mark.parametrize(
    "record",
    [
        (b"SCHILY.xattr.", b"x"),
        (b"LIBARCHIVE.xattr.", b"eHg"),
        (b"LIBARCHIVE.xattr.user.%00", b"eHg"),
        (b"LIBARCHIVE.xattr.user.a", b"e"),
        (b"LIBARCHIVE.xattr.user.a", b"e!!g"),
    ],
)
def test_a_broken_xattr_is_refused(record: pax.Record) -> None:
    with pytest.raises(ValueError, match="extended attribute"):
        pax.parse_xattrs(dict([record]))


@given(st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name), st.binary())
def test_an_xattr_of_any_name_round_trips(name: bytes, value: bytes) -> None:
    body = pax.format_records([pax.xattr_record(name, value)])
    assert pax.parse_xattrs(dict(pax.parse_records(body))) == ((name, value),)
