from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.layers.tar.pieces import PIECE, Pieces


class Taken:
    """A sink that remembers each piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes, /) -> None:
        self.pieces.append(data)


@pytest.fixture
def noise(tmp_path: Path) -> Iterator[tuple[int, bytes]]:
    content = os.urandom(3 * PIECE + 5)
    path = tmp_path / "noise"
    path.write_bytes(content)
    file = os.open(path, os.O_RDONLY)
    yield file, content
    os.close(file)


@pytest.mark.parametrize("sizes", [[512] * 5000, [3 * PIECE + 7], [PIECE], [1, PIECE, PIECE - 1]])
def test_all_pieces_but_the_last_have_one_size(sizes: list[int]) -> None:
    written = [os.urandom(size) for size in sizes]
    out = Taken()
    pieces = Pieces(out)
    for data in written:
        pieces.write(data)
    pieces.flush()
    assert b"".join(out.pieces) == b"".join(written)
    assert {len(piece) for piece in out.pieces[:-1]} <= {PIECE}
    assert 0 < len(out.pieces[-1]) <= PIECE


def test_files_fill_the_pieces_that_headers_began(noise: tuple[int, bytes]) -> None:
    file, content = noise
    out = Taken()
    pieces = Pieces(out)
    pieces.write(b"header")
    assert pieces.copy(file, len(content)) == 0
    pieces.flush()
    assert b"".join(out.pieces) == b"header" + content
    assert [len(piece) for piece in out.pieces] == [PIECE, PIECE, PIECE, 11]


def test_no_more_is_copied_than_asked_for(noise: tuple[int, bytes]) -> None:
    file, content = noise
    out = Taken()
    pieces = Pieces(out)
    assert pieces.copy(file, 100) == 0
    pieces.flush()
    assert out.pieces == [content[:100]]


def test_what_a_file_has_too_few_is_told(noise: tuple[int, bytes]) -> None:
    file, content = noise
    assert Pieces(Taken()).copy(file, len(content) + 9) == 9


def test_nothing_is_passed_on_where_nothing_came() -> None:
    out = Taken()
    pieces = Pieces(out)
    pieces.write(b"")
    pieces.flush()
    assert out.pieces == []
