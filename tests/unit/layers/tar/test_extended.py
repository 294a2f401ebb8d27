"""Extended headers: PAX records and the long names of GNU tar."""

from __future__ import annotations

import pytest

from nacre.layers.errors import BadArchive
from nacre.layers.tar import END_OF_ARCHIVE, scan
from nacre.layers.tar.header import encode_header
from nacre.layers.tar.pax import format_records
from tests.unit.layers.tar.headers import (
    FILE_BLOCKS,
    extended,
    special,
    with_records,
)


def test_pax_records_override_the_header() -> None:
    entry = with_records(
        (b"path", b"other/\xff"),
        (b"uid", b"3000000"),
        (b"gid", b"3000001"),
        (b"mtime", b"-1.5"),
        (b"atime", b"ignored"),
        (b"SCHILY.xattr.user.a", b"1"),
    )
    assert entry.name == b"other/\xff"
    assert (entry.uid, entry.gid) == (3000000, 3000001)
    assert (entry.mtime, entry.mtime_nsec) == (-2, 500_000_000)
    assert entry.xattrs == ((b"user.a", b"1"),)


def test_the_pax_size_says_where_the_next_header_is() -> None:
    lying = encode_header(name=b"a", size=0, typeflag=b"0")
    hidden = FILE_BLOCKS
    data = extended((b"size", b"1024")) + lying + hidden + FILE_BLOCKS
    assert [(e.name, e.size) for e in scan(data)] == [(b"a", 1024), (b"file", 3)]


def test_the_pax_size_does_not_apply_to_a_long_name_between() -> None:
    data = extended((b"size", b"3")) + special(b"L", b"long" * 50 + b"\0") + FILE_BLOCKS
    assert [entry.name for entry in scan(data)] == [b"long" * 50]


def test_of_equal_pax_records_the_last_counts() -> None:
    assert with_records((b"path", b"first"), (b"path", b"last")).name == b"last"


@pytest.mark.parametrize("key", [b"path", b"linkpath", b"size", b"uid", b"gid", b"mtime"])
def test_an_empty_pax_value_leaves_the_header(key: bytes) -> None:
    (plain,) = scan(FILE_BLOCKS)
    entry = with_records((key, b""))
    assert entry[:9] == plain[:9]


@pytest.mark.parametrize("key", [b"path", b"linkpath"])
def test_a_nul_in_a_pax_path_is_refused(key: bytes) -> None:
    with pytest.raises(BadArchive, match="NUL"):
        with_records((key, b"a\0b"))


@pytest.mark.parametrize("value", [b"-1", b"-512", b"1e3", b"9223372036854775808"])
def test_a_malformed_pax_size_is_refused(value: bytes) -> None:
    with pytest.raises(BadArchive, match="number"):
        with_records((b"size", value))


def test_an_extended_header_lasts_for_one_member() -> None:
    data = extended((b"path", b"renamed")) + FILE_BLOCKS + FILE_BLOCKS
    assert [entry.name for entry in scan(data)] == [b"renamed", b"file"]


def test_global_headers_are_ignored() -> None:
    data = special(b"g", format_records([(b"path", b"all"), (b"size", b"9")])) + FILE_BLOCKS
    assert [(entry.name, entry.size) for entry in scan(data)] == [(b"file", 3)]


def test_two_extended_headers_for_one_member_are_refused() -> None:
    with pytest.raises(BadArchive, match="two extended headers"):
        scan(extended((b"path", b"a")) + extended((b"path", b"b")) + FILE_BLOCKS)


@pytest.mark.parametrize("after", [END_OF_ARCHIVE, special(b"g", b"") + FILE_BLOCKS])
def test_an_extended_header_without_a_member_is_refused(after: bytes) -> None:
    with pytest.raises(BadArchive, match="malformed"):
        scan(extended((b"path", b"a")) + after)


def test_a_gnu_long_name_and_link_belong_together() -> None:
    link = encode_header(name=b"cut", typeflag=b"2", linkname=b"cut")
    data = special(b"K", b"t" * 200 + b"\0") + special(b"L", b"n" * 200 + b"\0junk") + link
    (entry,) = scan(data)
    assert (entry.name, entry.linkname) == (b"n" * 200, b"t" * 200)


def test_an_empty_extended_header_changes_nothing() -> None:
    (entry,) = scan(special(b"x", b"") + FILE_BLOCKS)
    assert (entry.name, entry.header_offset, entry.data_offset) == (b"file", 0, 1024)
