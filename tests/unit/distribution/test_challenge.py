"""Challenges are read strictly."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.distribution.challenge import Challenge, parse
from nacre.distribution.errors import InvalidReply


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('Basic realm="a b"', [Challenge("basic", {"realm": "a b"})]),
        ("Basic", [Challenge("basic")]),
        ("Negotiate", [Challenge("negotiate")]),
        ("Negotiate YWJj==", [Challenge("negotiate")]),
        ("BEARER Realm=x", [Challenge("bearer", {"realm": "x"})]),
        (
            'Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"',
            [
                Challenge(
                    "bearer",
                    {"realm": "https://a/t", "service": "s", "scope": "repository:a/b:pull,push"},
                )
            ],
        ),
        (
            'Basic realm="x", Bearer realm="y" , service = "z"',
            [
                Challenge("basic", {"realm": "x"}),
                Challenge("bearer", {"realm": "y", "service": "z"}),
            ],
        ),
        (
            "Negotiate, Basic realm=x",
            [Challenge("negotiate"), Challenge("basic", {"realm": "x"})],
        ),
        (r'Basic realm="a \"b\" \\ c"', [Challenge("basic", {"realm": r'a "b" \ c'})]),
        ('Basic realm="a, Bearer realm=b"', [Challenge("basic", {"realm": "a, Bearer realm=b"})]),
        (", Basic realm=x ,,", [Challenge("basic", {"realm": "x"})]),
        ("", []),
    ],
)
def test_what_servers_send_is_understood(value: str, expected: list[Challenge]) -> None:
    assert parse([value]) == expected


def test_several_fields_count_in_order() -> None:
    assert [one.scheme for one in parse(["Bearer realm=x", "Basic realm=y"])] == ["bearer", "basic"]


@pytest.mark.parametrize(
    "value",
    [
        'Basic realm="open',
        'Basic realm="a" realm="b"',
        'Basic realm="a", realm="b"',
        'Basic realm="a", service=',
        'Bearer realm="a"b"',
        'Basic realm="a\x00"',
        'Basic Bearer realm="x"',
        "@",
        "Basic realm=x" + "x" * 9000,
    ],
)
def test_what_breaks_the_grammar_is_refused(value: str) -> None:
    with pytest.raises(InvalidReply, match="WWW-Authenticate"):
        parse([value])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Basic", "bearer", "X-y"]),
            st.dictionaries(
                st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True),
                st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20),
                max_size=4,
            ),
        ),
        max_size=4,
    )
)
def test_what_is_written_is_read_again(challenges: list[tuple[str, dict[str, str]]]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    value = ", ".join(
        f"{scheme} {', '.join(f'{k}={quoted(v)}' for k, v in parameters.items())}".strip()
        for scheme, parameters in challenges
    )
    expected = [Challenge(scheme.lower(), parameters) for scheme, parameters in challenges]
    assert parse([value]) == expected


@given(st.text(max_size=60))
def test_nothing_but_a_refusal_comes_of_other_text(text: str) -> None:
    with contextlib.suppress(InvalidReply):
        parse([text])
