from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.layers.paths import clean, joined, split


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"usr/bin/env", b"usr/bin/env"),
        (b"./usr/bin/", b"usr/bin"),
        (b"/usr/bin", b"usr/bin"),
        (b"", b""),
        (b".", b""),
        (b"./", b""),
        (b"/", b""),
        (b"/.", b""),
        (b"..", b""),
        (b"a//b", b"a/b"),
        (b"a/./b/.", b"a/b"),
        (b"a/../b", b"b"),
        (b"a/b/..", b"a"),
        (b"../../etc/passwd", b"etc/passwd"),
        (b"./../etc", b"etc"),
        (b".//etc", b"etc"),
        (b"././etc", b"etc"),
        (b".hidden", b".hidden"),
        (b"a/.hidden", b"a/.hidden"),
        (b"a/..b", b"a/..b"),
        (b"...", b"..."),
        (b"\xff/\xfe", b"\xff/\xfe"),
    ],
)
def test_a_name_is_cleaned(name: bytes, path: bytes) -> None:
    assert clean(name) == path


@given(st.lists(st.sampled_from([b"", b".", b"..", b"a", b".b", b"..."])).map(b"/".join))
def test_cleaning_is_what_posix_does_at_the_root(name: bytes) -> None:
    assert clean(name) == posixpath.normpath(b"/" + name).lstrip(b"/")


def test_split_and_joined_are_inverse() -> None:
    for path in (b"", b"a", b"a/b", b"a/b/c"):
        assert joined(*split(path)) == path
    assert split(b"a/b/c") == (b"a/b", b"c")
    assert split(b"a") == (b"", b"a")
