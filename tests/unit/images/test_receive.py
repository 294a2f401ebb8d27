"""Receiving: one pass, verified both ways, resumed where it stopped."""

from __future__ import annotations

import gzip
import io
import random
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.memory import MemoryBlobs
from nacre.content.store import CorruptBlob
from nacre.content.target import Content, Placed, ignore_bytes
from nacre.errors import Unavailable
from nacre.images.receive import (
    Blobs,
    BrokenLayer,
    Received,
    Receiver,
    WrongLayer,
    check_diff_ids,
    measure,
)
from nacre.oci import mediatypes
from nacre.oci.config import InvalidConfig, make_config
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from tests.unit.images.building import BASE, TOP, Builder, Layer, a_layer, a_plain_layer, a_tar

MIB = 1024 * 1024


def incompressible(size: int) -> bytes:
    return random.Random(size).randbytes(size)


BIG = a_layer(a_tar(big=incompressible(6 * MIB)))


@pytest.fixture(params=["memory", "filesystem"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return MemoryBlobs() if request.param == "memory" else FilesystemBlobs(tmp_path)


class Source:
    """Bytes to read from any offset; notes the offsets, and can fail or lie at first."""

    def __init__(self, data: bytes, *, stops_at: int | None = None, first: bytes | None = None):
        self.data = data
        self.offsets: list[int] = []
        self._stops_at = stops_at
        self._first = first

    def __call__(self, offset: int) -> BinaryIO:
        self.offsets.append(offset)
        if self._first is not None:
            data, self._first = self._first, None
            return io.BytesIO(data[offset:])
        if self._stops_at is not None:
            stops_at, self._stops_at = self._stops_at, None
            return Interrupted(self.data[offset:stops_at])
        return io.BytesIO(self.data[offset:])


class Interrupted(io.BytesIO):
    """A stream whose connection breaks after some bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data:
            raise Unavailable("connection lost")
        return data


class Receipt:
    """A receiver and what it told."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.layers: list[Received] = []
        self._receiver = Receiver(blobs, on_layer=self.layers.append)

    def put(self, descriptor: Descriptor, content: Content) -> Placed:
        return self._receiver.put(descriptor, content, ignore_bytes)


@pytest.fixture
def receipt(blobs: Blobs) -> Receipt:
    return Receipt(blobs)


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def received(layer: Layer) -> Received:
    return Received(layer.descriptor, layer.diff_id, len(layer.tar))


def test_a_layer_is_stored_and_measured(receipt: Receipt) -> None:
    placed = receipt.put(BIG.descriptor, Source(BIG.data))
    assert placed == Placed(len(BIG.data))
    assert receipt.blobs.open(BIG.descriptor).read() == BIG.data
    assert receipt.layers == [received(BIG)]


def test_a_plain_layer_is_its_own_diff(receipt: Receipt) -> None:
    layer = a_plain_layer(a_tar(a=b"1"))
    receipt.put(layer.descriptor, Source(layer.data))
    assert receipt.layers == [Received(layer.descriptor, layer.descriptor.digest, len(layer.tar))]


def test_the_diff_id_of_a_plain_layer_is_sha256_whatever_its_digest(receipt: Receipt) -> None:
    tar = a_tar(a=b"1")
    descriptor = Descriptor(mediatypes.OCI_LAYER_TAR, Digest.of(tar, "sha512"), len(tar))
    receipt.put(descriptor, Source(tar))
    assert receipt.layers == [Received(descriptor, Digest.of(tar), len(tar))]


@pytest.mark.parametrize("media_type", [mediatypes.OCI_CONFIG, mediatypes.OCI_MANIFEST, "a/b"])
def test_other_content_is_not_inflated(receipt: Receipt, media_type: str) -> None:
    data = gzip.compress(b"x")[:-3]
    receipt.put(Descriptor.of(media_type, data), Source(data))
    assert receipt.layers == []


def test_what_is_here_is_not_fetched(receipt: Receipt) -> None:
    receipt.put(BASE.descriptor, Source(BASE.data))
    again = Source(BASE.data)
    assert receipt.put(BASE.descriptor, again) == Placed(0)
    assert again.offsets == []
    assert len(receipt.layers) == 1


def test_an_empty_blob(receipt: Receipt) -> None:
    descriptor = Descriptor.of("a/b", b"")
    source = Source(b"")
    assert receipt.put(descriptor, source) == Placed(0)
    assert source.offsets == []
    assert receipt.blobs.exists(descriptor)


def test_progress_tells_the_offset_reached(blobs: Blobs) -> None:
    seen: list[int] = []
    Receiver(blobs, on_layer=lambda _: None).put(BIG.descriptor, Source(BIG.data), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == len(BIG.data)
    assert len(seen) >= 6


def test_an_interrupted_layer_goes_on_where_it_stopped(receipt: Receipt) -> None:
    source = Source(BIG.data, stops_at=3 * MIB + 7)
    with pytest.raises(Unavailable, match="connection lost"):
        receipt.put(BIG.descriptor, source)
    assert not receipt.blobs.exists(BIG.descriptor)
    assert receipt.layers == []

    assert receipt.put(BIG.descriptor, source) == Placed(len(BIG.data) - 3 * MIB - 7)
    assert source.offsets == [0, 3 * MIB + 7]
    assert receipt.layers == [received(BIG)]


def test_an_ingest_that_lacks_only_its_commit_fetches_nothing(receipt: Receipt) -> None:
    with receipt.blobs.ingest(BASE.descriptor) as ingest:
        ingest.write(BASE.data)
    source = Source(BASE.data)
    assert receipt.put(BASE.descriptor, source) == Placed(0)
    assert source.offsets == []
    assert receipt.layers == [received(BASE)]


def damaged(data: bytes) -> bytes:
    return data[:50] + bytes([data[50] ^ 1]) + data[51:]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(damaged(BASE.data), id="other bytes"),
        pytest.param(BASE.data[:-5], id="short body"),
        pytest.param(BASE.data + b"x", id="over-long body"),
        pytest.param(b"", id="empty body"),
    ],
)
def test_wrong_bytes_are_fetched_once_more(receipt: Receipt, wrong: bytes) -> None:
    source = Source(BASE.data, first=wrong)
    assert receipt.put(BASE.descriptor, source) == Placed(len(BASE.data))
    assert source.offsets == [0, 0]
    assert receipt.layers == [received(BASE)]


@pytest.mark.parametrize(
    "wrong", [damaged(BASE.data), BASE.data[:-5], BASE.data + b"x"], ids=["other", "short", "long"]
)
def test_bytes_wrong_twice_are_an_error_and_nothing_is_visible(
    receipt: Receipt, wrong: bytes
) -> None:
    source = Source(wrong)
    with pytest.raises(CorruptBlob, match=BASE.descriptor.digest):
        receipt.put(BASE.descriptor, source)
    assert source.offsets == [0, 0]
    assert not receipt.blobs.exists(BASE.descriptor)
    assert receipt.layers == []


def test_wrong_bytes_on_disk_are_fetched_again_from_the_start(receipt: Receipt) -> None:
    with receipt.blobs.ingest(BASE.descriptor) as ingest:
        ingest.write(damaged(BASE.data)[:60])
    source = Source(BASE.data)
    receipt.put(BASE.descriptor, source)
    assert source.offsets == [60, 0]
    assert receipt.layers == [received(BASE)]


def test_all_bytes_on_disk_but_wrong_ones(receipt: Receipt) -> None:
    with receipt.blobs.ingest(BASE.descriptor) as ingest:
        ingest.write(damaged(BASE.data))
    source = Source(BASE.data)
    receipt.put(BASE.descriptor, source)
    assert source.offsets == [0]
    assert receipt.layers == [received(BASE)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(BASE.data[:-9], id="ends early"),
        pytest.param(damaged(BASE.data), id="damaged"),
        pytest.param(damaged(BIG.data), id="damaged long before the end"),
    ],
)
def test_a_broken_gzip_stream_is_a_broken_layer(receipt: Receipt, data: bytes) -> None:
    descriptor = Descriptor.of(mediatypes.OCI_LAYER_GZIP, data)
    source = Source(data)
    with pytest.raises(BrokenLayer, match=f"layer {descriptor.digest} cannot be unpacked: "):
        receipt.put(descriptor, source)
    assert source.offsets == [0]  # the bytes are right: fetching again would not help
    assert receipt.layers == []
    with pytest.raises(BrokenLayer):
        measure(receipt.blobs, descriptor)


def test_a_broken_layer_that_was_resumed(receipt: Receipt) -> None:
    data = BASE.data[:-9]
    descriptor = Descriptor.of(mediatypes.OCI_LAYER_GZIP, data)
    with receipt.blobs.ingest(descriptor) as ingest:
        ingest.write(data[:40])
    with pytest.raises(BrokenLayer):
        receipt.put(descriptor, Source(data))
    assert receipt.layers == []


def test_an_interrupt_of_the_user_passes_and_ends_the_thread(receipt: Receipt) -> None:
    class Stopped(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        receipt.put(BIG.descriptor, lambda _offset: Stopped())
    assert not receipt.blobs.exists(BIG.descriptor)


def test_streams_are_closed(receipt: Receipt) -> None:
    streams: list[BinaryIO] = []

    def content(offset: int) -> BinaryIO:
        streams.append(io.BytesIO(damaged(BASE.data)[offset:]))
        return streams[-1]

    with pytest.raises(CorruptBlob):
        receipt.put(BASE.descriptor, content)
    assert [stream.closed for stream in streams] == [True, True]


def test_two_threads_that_want_one_layer_fetch_it_once(receipt: Receipt) -> None:
    source = Source(BIG.data)
    placed: list[Placed] = []
    threads = [
        threading.Thread(target=lambda: placed.append(receipt.put(BIG.descriptor, source)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.moved for each in placed) == [0, len(BIG.data)]
    assert source.offsets == [0]
    assert receipt.layers == [received(BIG)]


class Repeating(io.RawIOBase):
    """A long stream that takes no memory."""

    def __init__(self, piece: bytes, times: int) -> None:
        super().__init__()
        self._piece, self._times = piece, times

    def read(self, size: int = -1, /) -> bytes:
        assert 0 < size <= len(self._piece)
        self._times -= 1
        return self._piece[:size] if self._times >= 0 else b""


def test_memory_is_bounded_whatever_the_size(tmp_path: Path) -> None:
    member = gzip.compress(b"\0" * MIB * 8, mtime=0).ljust(MIB, b"\0")  # zeros may pad members
    piece, times = member[:MIB], 48
    whole = Digest.of(piece * times)
    descriptor = Descriptor(mediatypes.OCI_LAYER_GZIP, whole, MIB * times)
    receipt = Receipt(FilesystemBlobs(tmp_path))
    tracemalloc.start()
    try:
        receipt.put(descriptor, lambda _offset: Repeating(piece, times))  # type: ignore[arg-type, return-value]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB
    assert len(receipt.layers) == 1


def test_measure_what_is_here(built: Builder) -> None:
    built.image()
    assert measure(built.blobs, BASE.descriptor) == received(BASE)


def test_diff_ids_match() -> None:
    config = make_config({"rootfs": {"diff_ids": [BASE.diff_id, TOP.diff_id]}})
    check_diff_ids(config, [received(BASE), received(TOP)])
    check_diff_ids(config, [None, received(TOP)])


def test_diff_ids_do_not_match() -> None:
    config = make_config({"rootfs": {"diff_ids": [BASE.diff_id, BASE.diff_id]}})
    with pytest.raises(WrongLayer, match=f"layer 1 {TOP.descriptor.digest} unpacks to") as caught:
        check_diff_ids(config, [received(BASE), received(TOP)])
    assert caught.value.remedy


def test_layer_count_does_not_match() -> None:
    config = make_config({"rootfs": {"diff_ids": [BASE.diff_id]}})
    with pytest.raises(InvalidConfig, match="lists 2 layers"):
        check_diff_ids(config, [received(BASE), received(TOP)])
