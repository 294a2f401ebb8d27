"""Running hashes of uploads, and reading again."""

from __future__ import annotations

import asyncio
import os

import pytest

from nacre.hub.errors import BlobUploadUnknown, Busy
from nacre.hub.registry.hashing import Running, RunningHashes, read_again
from nacre.oci.digest import Digest
from nacre.testing.hub_bytes import MemoryPlace


def fed(data: bytes, algorithm: str = "sha256") -> Running:
    running = Running(algorithm)
    running.update(data)
    return running


def test_a_hash_goes_on_where_it_was_left() -> None:
    hashes = RunningHashes()
    hashes.keep("one", fed(b"ab"))
    running = hashes.take("one", 2, "sha256")
    assert running is not None
    running.update(b"c")
    assert (running.digest, running.offset) == (Digest.of(b"abc"), 3)


def test_a_hash_is_of_no_use_at_another_offset_or_by_another_algorithm() -> None:
    hashes = RunningHashes()
    for offset, algorithm in ((1, "sha256"), (3, "sha256"), (2, "sha512")):
        hashes.keep("one", fed(b"ab"))
        assert hashes.take("one", offset, algorithm) is None
    assert hashes.take("other", 2, "sha256") is None


def test_a_hash_is_given_to_one_request_only() -> None:
    hashes = RunningHashes()
    hashes.keep("one", fed(b"ab"))
    assert hashes.take("one", 2, "sha256") is not None
    assert hashes.take("one", 2, "sha256") is None


def test_at_the_beginning_there_is_always_one() -> None:
    running = RunningHashes().take("one", 0, "sha512")
    assert running is not None
    assert running.digest == Digest.of(b"", "sha512")


def test_the_oldest_give_way() -> None:
    hashes = RunningHashes(limit=2)
    for name in ("a", "b", "c"):
        hashes.keep(name, fed(b"x"))
    assert hashes.take("a", 1, "sha256") is None
    assert hashes.take("b", 1, "sha256") is not None
    assert hashes.take("c", 1, "sha256") is not None


def place_with(data: bytes) -> tuple[MemoryPlace, str]:
    place = MemoryPlace()
    key = place.new_key()
    with place.append(key, 0) as writing:
        writing.write(data)
    return place, key


def test_reading_again_reads_exactly_what_is_recorded() -> None:
    data = os.urandom(3_000_000)
    place, key = place_with(data + b"never recorded")
    found = asyncio.run(read_again(place, key, len(data), "sha512", check=lambda: None))
    assert found == Digest.of(data, "sha512")


def test_bytes_that_were_lost_are_told() -> None:
    place, key = place_with(b"short")
    with pytest.raises(Busy, match="lost"):
        asyncio.run(read_again(place, key, 6, "sha256", check=lambda: None))


def test_reading_again_stops_when_the_upload_is_gone() -> None:
    place, key = place_with(b"data")

    def check() -> None:
        raise BlobUploadUnknown("cancelled")

    with pytest.raises(BlobUploadUnknown):
        asyncio.run(read_again(place, key, 4, "sha256", check=check))
