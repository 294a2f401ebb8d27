from __future__ import annotations

import hashlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.content.hashing import OverlappingHasher, Processors

LARGE = 256 * 1024
PIECES = st.lists(
    st.tuples(st.sampled_from([bytes, bytearray, memoryview]), st.integers(0, 3), st.booleans())
)


@pytest.mark.parametrize("count", [1, 2])
@given(pieces=PIECES)
def test_the_hash_is_that_of_the_bytes_in_order(
    count: int, pieces: list[tuple[type, int, bool]]
) -> None:
    hasher = OverlappingHasher("sha256", Processors(count))
    data = [bytes([byte]) * (LARGE if is_large else 10) for _, byte, is_large in pieces]
    for (kind, _, _), piece in zip(pieces, data, strict=True):
        hasher.update(kind(piece))
    assert hasher.hexdigest() == hashlib.sha256(b"".join(data)).hexdigest()
    hasher.close()


def test_a_buffer_may_be_used_again_at_once() -> None:
    hasher, buffer = OverlappingHasher("sha256", Processors(2)), bytearray(b"a" * LARGE)
    hasher.update(b"a" * LARGE)
    hasher.update(buffer)
    buffer[:] = bytes(LARGE)
    assert hasher.hexdigest() == hashlib.sha256(b"a" * 2 * LARGE).hexdigest()
    hasher.close()


def test_one_stream_on_two_processors_gets_a_thread_until_it_is_closed() -> None:
    before = threading.active_count()
    hasher = OverlappingHasher("sha256", Processors(2))
    hasher.update(bytes(LARGE))
    assert threading.active_count() == before + 1
    hasher.close()
    assert threading.active_count() == before


def test_small_pieces_need_no_thread() -> None:
    before = threading.active_count()
    hasher = OverlappingHasher("sha256", Processors(2))
    hasher.update(bytes(LARGE - 1))
    assert threading.active_count() == before
    hasher.close()


def test_as_many_streams_as_processors_get_no_threads() -> None:
    processors, before = Processors(2), threading.active_count()
    one, two = OverlappingHasher("sha256", processors), OverlappingHasher("sha256", processors)
    one.update(bytes(LARGE))
    assert threading.active_count() == before
    two.close()
    one.update(bytes(LARGE))
    assert threading.active_count() == before + 1
    one.close()


def test_restart_forgets() -> None:
    hasher = OverlappingHasher("sha512", Processors(2))
    hasher.update(bytes(LARGE))
    hasher.restart()
    hasher.update(b"x")
    assert hasher.hexdigest() == hashlib.sha512(b"x").hexdigest()
    hasher.close()
