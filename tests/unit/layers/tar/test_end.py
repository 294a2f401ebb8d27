"""Where an archive ends, and what is missing when it ends too early."""

from __future__ import annotations

import pytest

from nacre.layers.errors import BadArchive, Truncated
from nacre.layers.tar import END_OF_ARCHIVE, Scanner, scan
from tests.unit.layers.tar.headers import (
    FILE_BLOCKS,
    extended,
    special,
)


def test_two_zero_blocks_end_the_archive_whatever_follows() -> None:
    scanner = Scanner()
    assert [e.name for e in scanner.feed(FILE_BLOCKS + END_OF_ARCHIVE + b"junk")] == [b"file"]
    assert scanner.feed(FILE_BLOCKS) == []
    scanner.finish()
    assert scanner.has_end_marker


@pytest.mark.parametrize("tail", [b"", bytes(512)])
def test_a_missing_end_marker_is_accepted(tail: bytes) -> None:
    scanner = Scanner()
    assert len(scanner.feed(FILE_BLOCKS + tail)) == 1
    scanner.finish()
    assert not scanner.has_end_marker


def test_no_bytes_at_all_are_an_empty_archive() -> None:
    assert scan(b"") == []
    assert scan(END_OF_ARCHIVE) == []


def test_missing_padding_at_the_end_is_accepted() -> None:
    assert len(scan(FILE_BLOCKS[: 512 + 3])) == 1


@pytest.mark.parametrize("cut", [1, 511, 512, 513, 514])
def test_a_truncated_header_or_body_is_an_error(cut: int) -> None:
    with pytest.raises(Truncated, match="byte 1024") as caught:
        scan(FILE_BLOCKS + FILE_BLOCKS[:cut])
    assert caught.value.offset == 1024


@pytest.mark.parametrize("cut", [100, 512, 515, 1024])
def test_a_truncated_extended_header_is_an_error(cut: int) -> None:
    with pytest.raises(Truncated):
        scan((extended((b"path", b"a" * 200)) + FILE_BLOCKS)[:cut])


def test_a_truncated_global_header_is_an_error() -> None:
    with pytest.raises(Truncated):
        scan(special(b"g", b"x" * 600)[:1000])


def test_a_lone_zero_block_inside_is_an_error() -> None:
    with pytest.raises(BadArchive, match="zero block"):
        scan(bytes(512) + FILE_BLOCKS)


def test_an_error_says_where() -> None:
    with pytest.raises(BadArchive, match="at byte 1024 is malformed: its checksum") as caught:
        scan(FILE_BLOCKS + b"F" + FILE_BLOCKS[1:])
    assert caught.value.offset == 1024
