"""Words of instructions: where they end, and what is in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.images.words import InvalidWord, expand, split

VARIABLES = {"A": "1", "EMPTY": "", "PATH": "/bin:/usr/bin"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("   ", []),
        ("a", ["a"]),
        (" a \t b\n", ["a", "b"]),
        ('a="b c" d', ['a="b c"', "d"]),
        ("a='b c' d", ["a='b c'", "d"]),
        (r"a=b\ c d", [r"a=b\ c", "d"]),
        (r'"a\" b" c', [r'"a\" b"', "c"]),
        (r"'a\' b", [r"'a\'", "b"]),
        ('"it\'s" x', ['"it\'s"', "x"]),
        ('"open', ['"open']),
        ("a\\", ["a\\"]),
    ],
)
def test_split(text: str, words: list[str]) -> None:
    assert split(text) == words


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("plain", "plain"),
        ('"a b"', "a b"),
        ("'a b'", "a b"),
        ('a"b c"d', "ab cd"),
        (r"a\ b", "a b"),
        (r"a\\b", r"a\b"),
        ("a\\", "a"),
        (r'"a\"b"', 'a"b'),
        (r'"a\nb"', r"a\nb"),
        (r"'a\b'", r"a\b"),
        ('"it\'s"', "it's"),
        ("$A", "1"),
        ("${A}", "1"),
        ("x${A}y$A", "x1y1"),
        ("$A$", "1$"),
        ("$1", "$1"),
        ("$UNSET", ""),
        ('"$A b"', "1 b"),
        ("'$A'", "$A"),
        (r"\$A", "$A"),
        (r'"\$A"', "$A"),
        ("$PATH:/x", "/bin:/usr/bin:/x"),
        ("${UNSET:-d}", "d"),
        ("${UNSET-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${A:-d}", "1"),
        ("${A:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${UNSET+x}", ""),
        ("${UNSET:-$A}", "1"),
        ("", ""),
    ],
)
def test_expand(word: str, value: str) -> None:
    assert expand(word, VARIABLES) == value


@pytest.mark.parametrize("word", ['"', "'", "a'b", '"a', "${A", "${}", "${1}", "${A#x}", "${A:?e}"])
def test_refused(word: str) -> None:
    with pytest.raises(InvalidWord):
        expand(word, VARIABLES)


def test_variables_are_put_in_once() -> None:
    assert expand("$A", {"A": "$B", "B": "x"}) == "$B"


@given(st.text("ab $\"'\\{}:-\n"))
def test_nothing_but_the_one_error(text: str) -> None:
    for word in split(text):
        assert word.strip("\\") == "" or word.strip()
        try:
            expand(word, VARIABLES)
        except InvalidWord:
            continue


@given(st.lists(st.text("ab$\"' \\", min_size=1)))
def test_single_quotes_keep_all_but_themselves(texts: list[str]) -> None:
    clean = [text.replace("'", "").replace("\\", "") for text in texts]
    words = split(" ".join(f"'{text}'" for text in clean))
    assert [expand(word, VARIABLES) for word in words] == clean
