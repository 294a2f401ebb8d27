"""Where entries lie and of which kind they are."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from nacre.layers.entry import Kind
from nacre.layers.errors import BadArchive
from nacre.layers.tar import END_OF_ARCHIVE, scan
from nacre.layers.tar.header import encode_header
from tests.unit.layers.tar.headers import (
    FILE_BLOCKS,
    extended,
    patched,
    with_records,
)


def test_offsets_lead_to_headers_and_data() -> None:
    data = FILE_BLOCKS + extended((b"path", b"second")) + FILE_BLOCKS + END_OF_ARCHIVE
    first, second = scan(data)
    assert (first.header_offset, first.data_offset, first.stored_size) == (0, 512, 3)
    assert (second.header_offset, second.data_offset) == (1024, 2560)
    assert data[second.data_offset :][: second.stored_size] == b"abc"


def test_a_memory_map_is_scanned_in_place(tmp_path: Path) -> None:
    path = tmp_path / "layer.tar"
    path.write_bytes(FILE_BLOCKS + END_OF_ARCHIVE)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        assert [entry.name for entry in scan(view)] == [b"file"]


# Kinds.


@pytest.mark.parametrize("kind", Kind)
def test_only_files_have_a_body(kind: Kind) -> None:
    lying = encode_header(name=b"lying", size=512, typeflag=kind.value, linkname=b"to")
    inside = encode_header(name=b"inside", typeflag=b"0")
    found = [(entry.name, entry.size) for entry in scan(lying + inside)]
    assert found == ([(b"lying", 512)] if kind is Kind.REG else [(b"lying", 0), (b"inside", 0)])


@pytest.mark.parametrize("typeflag", [b"\0", b"7"])
def test_old_and_contiguous_files_are_files(typeflag: bytes) -> None:
    data = patched(FILE_BLOCKS, 156, typeflag)
    assert [(entry.kind, entry.size) for entry in scan(data)] == [(Kind.REG, 3)]


def test_a_v7_name_with_a_slash_is_a_directory() -> None:
    data = encode_header(name=b"old/", typeflag=b"\0")
    assert scan(data)[0].kind is Kind.DIR


@pytest.mark.parametrize("typeflag", [b"D", b"M", b"N", b"V", b"X", b"8", b"\xff"])
def test_an_unknown_type_is_refused(typeflag: bytes) -> None:
    with pytest.raises(BadArchive, match="none a layer can hold"):
        scan(patched(FILE_BLOCKS, 156, typeflag))


@pytest.mark.parametrize("offset", [100, 108, 116])
def test_a_negative_mode_or_owner_is_refused(offset: int) -> None:
    with pytest.raises(BadArchive, match="out of range"):
        scan(patched(FILE_BLOCKS, offset, b"\xff" * 8))


@pytest.mark.parametrize("key", [b"uid", b"gid"])
def test_the_owner_that_means_nobody_and_those_beyond_are_refused(key: bytes) -> None:
    largest = with_records((key, b"4294967294"))
    assert max(largest.uid, largest.gid) == (1 << 32) - 2
    for number in (b"4294967295", b"4294967296"):
        with pytest.raises(BadArchive, match="out of range"):
            with_records((key, number))


def test_a_negative_device_number_is_refused() -> None:
    device = encode_header(name=b"null", typeflag=b"3")
    with pytest.raises(BadArchive, match="device number"):
        scan(patched(device, 329, b"\xff" * 8))


def test_file_type_bits_in_a_mode_are_dropped() -> None:
    assert scan(patched(FILE_BLOCKS, 100, b"0100644\0"))[0].mode == 0o644
