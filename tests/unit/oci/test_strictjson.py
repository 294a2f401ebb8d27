"""Strict JSON: what two readers could understand differently is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.oci.strictjson import (
    MANIFEST_LIMIT,
    InvalidJSON,
    check_keys,
    encode,
    parse_object,
)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b"", "not valid JSON", id="empty"),
        pytest.param(b"{", "not valid JSON", id="cut off"),
        pytest.param(b'{"a":1}{"a":2}', "not valid JSON", id="two documents"),
        pytest.param(b'{"a":1} x', "not valid JSON", id="trailing text"),
        pytest.param(b'{"a":1,}', "not valid JSON", id="trailing comma"),
        pytest.param(b"{'a':1}", "not valid JSON", id="single quotes"),
        pytest.param(b'{"a":1}//x', "not valid JSON", id="comment"),
        pytest.param(b'\xef\xbb\xbf{"a":1}', "not valid JSON", id="byte order mark"),
        pytest.param(b'{"a":"\xff"}', "not valid JSON", id="not UTF-8"),
        pytest.param('{"a":1}'.encode("utf-16"), "not valid JSON", id="UTF-16"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', "not valid JSON", id="surrogate in UTF-8"),
        pytest.param(b'{"a":"\\ud800"}', "is not Unicode", id="half a surrogate pair"),
        pytest.param(b'{"a":["\\uDC00"]}', "is not Unicode", id="the other half"),
        pytest.param(b'{"a":"\x01"}', "not valid JSON", id="control character"),
        pytest.param(
            b'{"a":' + b"9" * 6000 + b"}", "number that is too long", id="endless integer"
        ),
        pytest.param(b"[]", "not a JSON object", id="list"),
        pytest.param(b'"a"', "not a JSON object", id="text"),
        pytest.param(b"null", "not a JSON object", id="null"),
        pytest.param(b'{"a":1,"a":1}', "has the key 'a' twice", id="key twice"),
        pytest.param(b'{"a":1,"\\u0061":2}', "has the key 'a' twice", id="key twice by escape"),
        pytest.param(b'{"x":[{"y":{"b":1,"b":2}}]}', "has the key 'b' twice", id="twice deep down"),
        pytest.param(b'{"a":NaN}', "holds NaN", id="NaN"),
        pytest.param(b'{"a":[Infinity]}', "holds Infinity", id="Infinity"),
        pytest.param(b'{"a":-Infinity}', "holds -Infinity", id="minus Infinity"),
        pytest.param(b'{"a":1e999}', "out of range", id="too large a number"),
        pytest.param(b'{"a":-1e999}', "out of range", id="too small a number"),
        pytest.param(b'{"a":' + b"[" * 101 + b"]" * 101 + b"}", "too deep", id="deep"),
        pytest.param(b'{"a":' * 101 + b"1" + b"}" * 101, "too deep", id="deep objects"),
        pytest.param(b"[" * 1_000_000, "too deep", id="depth bomb, lists"),
        pytest.param(b'{"a":' * 500_000, "too deep", id="depth bomb, objects"),
    ],
)
def test_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(InvalidJSON, match=reason) as caught:
        parse_object(raw, "config of x")
    assert str(caught.value).startswith("config of x ")


def test_limit_is_inclusive() -> None:
    head, tail = b'{"a":"', b'"}'
    raw = head + b"x" * (MANIFEST_LIMIT - len(head) - len(tail)) + tail
    assert len(raw) == 4 * 1024 * 1024
    assert parse_object(raw, "manifest")
    with pytest.raises(InvalidJSON, match="larger than 4194304 bytes"):
        parse_object(raw + b" ", "manifest")


def test_limit_can_be_another() -> None:
    with pytest.raises(InvalidJSON, match="larger than 6 bytes"):
        parse_object(b'{"a":1}', "reply", limit=6)


def test_what_json_allows_is_read() -> None:
    raw = b' {"a": [1, 2.5, -1e3, true, null], "\\u00e9": "\\ud83d\\ude00", "b": {}} \n'
    assert parse_object(raw, "x") == {"a": [1, 2.5, -1000.0, True, None], "é": "😀", "b": {}}


def test_depth_of_a_hundred_is_read() -> None:
    assert parse_object(b'{"a":' + b"[" * 99 + b"]" * 99 + b"}", "x")


def test_a_long_key_is_cut_in_the_error() -> None:
    key = b'"' + b"k" * 100_000 + b'"'
    with pytest.raises(InvalidJSON) as caught:
        parse_object(b"{" + key + b":1," + key + b":2}", "x")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("key", ["Layers", "LAYERS", "layer\N{LATIN SMALL LETTER LONG S}"])
def test_keys_that_differ_by_case_only_are_refused(key: str) -> None:
    with pytest.raises(InvalidJSON, match="must be spelled 'layers'"):
        check_keys({key: []}, ("layers", "config"), "manifest")


def test_known_and_unknown_keys_are_left_alone() -> None:
    check_keys({"layers": [], "x-layers": [], "Other": 1}, ("layers",), "manifest")


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Text as JSON can carry it: no halves of surrogate pairs.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children) | st.dictionaries(st.text("abé\n"), children),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), _values))
def test_round_trip_keeps_values_and_order(value: dict[str, Any]) -> None:
    back = parse_object(encode(value), "x")
    assert back == value
    assert list(back) == list(value)


@given(st.binary() | st.text('{}[]":,\\ud8aA0123.eE-+ntrl ').map(str.encode))
def test_arbitrary_bytes_are_an_object_or_refused(raw: bytes) -> None:
    try:
        value = parse_object(raw, "x")
    except InvalidJSON:
        return
    assert parse_object(encode(value), "x") == value == json.loads(raw)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nacre_writes_no_numbers_that_are_none(value: float) -> None:
    write: Callable[[object], bytes] = encode
    with pytest.raises(ValueError, match="JSON compliant"):
        write({"a": value})


def test_written_compact_and_readable() -> None:
    assert encode({"b": 1, "a": ["é"]}) == '{"b":1,"a":["é"]}'.encode()


def test_nacre_writes_no_halves_of_surrogate_pairs() -> None:
    with pytest.raises(InvalidJSON, match="not Unicode"):
        encode({"a": "\udcff"})
