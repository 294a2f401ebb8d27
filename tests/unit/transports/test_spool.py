"""Any stream becomes a file that can be read by position."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from backports import zstd

from nacre.errors import NotFound, Unavailable
from nacre.transports.members import InvalidArchive
from nacre.transports.spool import seekable
from tests.unit.transports.tars import a_tar

TAR = a_tar(("file", bytes(range(256)) * 1000))


def contents(file: BinaryIO) -> bytes:
    return os.pread(file.fileno(), 2 * len(TAR), 0)


def test_a_plain_file_is_read_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(TAR)
    with seekable(path, tmp_path / "no such folder", "a") as file:
        assert contents(file) == TAR


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_a_compressed_file_is_unpacked_into_a_file_without_a_name(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path, spool = tmp_path / "a.tar", tmp_path / "spool"
    path.write_bytes(pack(TAR))
    spool.mkdir()
    with seekable(path, spool, "a") as file:
        assert contents(file) == TAR
        assert list(spool.iterdir()) == []


def test_a_stream_is_spooled_and_stays_the_callers(tmp_path: Path) -> None:
    stream = io.BytesIO(TAR)
    with seekable(stream, tmp_path, "a") as file:
        assert contents(file) == TAR
    assert not stream.closed


def test_a_pipe_is_spooled(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as out, os.fdopen(reading, "rb") as pipe:
        out.write(TAR[:10_000])
        out.close()
        with seekable(pipe, tmp_path, "a") as file:
            assert contents(file) == TAR[:10_000]


def test_a_file_already_read_from_is_taken_from_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"skip" + TAR)
    with path.open("rb") as stream:
        stream.read(4)
        with seekable(stream, tmp_path, "a") as file:
            assert contents(file) == TAR


def test_a_damaged_compressed_stream_is_refused(tmp_path: Path) -> None:
    damaged = io.BytesIO(gzip.compress(TAR)[:-20])
    with (
        pytest.raises(InvalidArchive, match=r"^a: the gzip stream"),
        seekable(damaged, tmp_path, "a"),
    ):
        pass


def test_a_missing_file_and_a_missing_spool_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file"), seekable(tmp_path / "none", tmp_path, "a"):
        pass
    with (
        pytest.raises(Unavailable, match="none"),
        seekable(io.BytesIO(TAR), tmp_path / "none", "a"),
    ):
        pass


def test_a_folder_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Is a directory"), seekable(tmp_path, tmp_path, "a"):
        pass


class Endless(io.RawIOBase):
    """Never ends, and counts what was read."""

    def __init__(self, piece: bytes) -> None:
        super().__init__()
        self._piece = piece
        self.sent = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        self.sent += len(self._piece)
        return self._piece


@pytest.mark.parametrize("byte", [b"\0", b"x"])
def test_what_is_no_tar_is_not_spooled_for_ever(tmp_path: Path, byte: bytes) -> None:
    stream = Endless(byte * 100_000)
    with seekable(cast("BinaryIO", stream), tmp_path, "a") as file:
        assert os.fstat(file.fileno()).st_size == stream.sent == 100_000


def test_a_bomb_that_is_no_tar_is_not_unpacked_to_its_end(tmp_path: Path) -> None:
    bomb = gzip.compress(b"x" * 100_000_000)
    with seekable(io.BytesIO(bomb), tmp_path, "a") as file:
        assert 512 <= os.fstat(file.fileno()).st_size < 50_000_000


def test_a_short_stream_is_spooled_whole(tmp_path: Path) -> None:
    with seekable(io.BytesIO(b"x" * 100), tmp_path, "a") as file:
        assert os.fstat(file.fileno()).st_size == 100


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(Unavailable, match="/proc/self/mem"),
        seekable(Path("/proc/self/mem"), tmp_path, "/proc/self/mem"),
    ):
        pass
