"""Patterns mean what they mean to Go's ``path.Match``."""

from __future__ import annotations

import pytest

from nacre.engine import globs


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("abc", "abc"),
        ("*", "abc"),
        ("*", ""),
        ("*c", "abc"),
        ("a*", "abc"),
        ("a**c", "abc"),
        ("a*/b", "abc/b"),
        ("a*b*c*d*e*/f", "axbxcxdxe/f"),
        ("a*b?c*x", "abxbbxdbxebxczzx"),
        ("ab[c]", "abc"),
        ("ab[b-d]", "abc"),
        ("ab[e-gb-d]", "abc"),
        ("[^b]*", "app"),
        ("[^b]*", "^app"),
        ("[!b]*", "!app"),
        ("[!b]*", "busy"),
        ("a[^b]c", "a/c"),
        ("a[/]c", "a/c"),
        (r"a\*b", "a*b"),
        (r"[\]a]", "]"),
        (r"[\-x]", "-"),
        (r"[x\-]", "-"),
        ("[c-ax]", "x"),
        ("[^c-a]", "x"),
        ("]", "]"),
        ("a.c", "a.c"),
    ],
)
def test_what_suits(pattern: str, text: str) -> None:
    assert globs.compiled(pattern).fullmatch(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("abc", "ab"),
        ("*", "a/b"),
        ("a*", "ab/c"),
        ("a*/b", "a/c/b"),
        ("a?b", "a/b"),
        ("*x", "xxy"),
        ("a*b?c*x", "abxbbxdbxebxczzy"),
        ("ab[^c]", "abc"),
        ("ab[^b-d]", "abc"),
        ("[^b]*", "busy"),
        ("[!b]*", "app"),
        ("[c-a]", "b"),
        ("a.c", "abc"),
        ("*[^x]*c", "a/b/c"),
    ],
)
def test_what_does_not_suit(pattern: str, text: str) -> None:
    assert not globs.compiled(pattern).fullmatch(text)


@pytest.mark.parametrize(
    "pattern",
    ["[", "[a", "[]", "[]a]", "[^]", "[-]", "[-x]", "[x-]", "[a-b-c]", "[a-", "a\\", "[\\", "*["],
)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(globs.BadPattern, match="syntax error in pattern") as raised:
        globs.compiled(pattern)
    assert raised.value.remedy


def test_many_stars_are_no_burden() -> None:
    assert not globs.compiled("*a" * 40 + "b").fullmatch("a" * 255)
