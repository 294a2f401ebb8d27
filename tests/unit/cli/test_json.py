"""JSON in Docker's two layouts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.cli.render.json import compact, inspect_array
from nacre.cli.render.template.values import NILS, Moment, Row, Struct

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_inspect_prints_an_indented_array() -> None:
    image = {"Id": "sha256:12", "RepoTags": ["a:1"], "Config": {"Cmd": None, "Labels": {}}}
    assert inspect_array([image]) == (
        "[\n"
        "    {\n"
        '        "Id": "sha256:12",\n'
        '        "RepoTags": [\n'
        '            "a:1"\n'
        "        ],\n"
        '        "Config": {\n'
        '            "Cmd": null,\n'
        '            "Labels": {}\n'
        "        }\n"
        "    }\n"
        "]\n"
    )


def test_inspect_of_nothing_is_an_empty_array() -> None:
    assert inspect_array([]) == "[]\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<a> & b", '"<a> & b"'),
        ("é日本😀", '"é日本😀"'),
        ("\u2028\u2029", '"\\u2028\\u2029"'),
        ("\ud800x", '"\\ufffdx"'),
        ('\t\n\r\b\f\x01\x7f"\\', '"\\t\\n\\r\\b\\f\\u0001\x7f\\"\\\\"'),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (1e21, "1e+21"),
        (True, "true"),
        (None, "null"),
        (("a",), '["a"]'),
        ({"z": 1, "a": 2}, '{"z":1,"a":2}'),
    ],
)
def test_values_are_encoded_as_go_encodes_them(value: object, text: str) -> None:
    assert compact(value) == text


def test_structs_are_objects_without_their_absent_fields() -> None:
    struct = Struct("image", {"Id": "x", "Config": Struct("config", {}, {"Cmd": []})})
    assert compact([struct]) == '[{"Id":"x","Config":{}}]'


def test_only_rows_have_html_escapes() -> None:
    assert compact(Row("row", {"A": "<&>"})) == '{"A":"\\u003c\\u0026\\u003e"}'
    assert compact(Struct("row", {"A": "<&>"})) == '{"A":"<&>"}'


def test_what_is_not_there_is_null_and_what_is_empty_is_not() -> None:
    assert compact([*NILS, [], {}]) == "[null,null,null,[],{}]"


def test_moments_are_written_as_they_are() -> None:
    assert compact(Moment("2024-01-02T15:04:06.7Z")) == '"2024-01-02T15:04:06.7Z"'


@given(VALUES)
def test_what_is_written_reads_back(value: object) -> None:
    assert json.loads(compact(value)) == value
    assert json.loads(inspect_array([value])) == [value]
