"""Unpacking while a layer comes in: one pass, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from nacre.content.memory import MemoryBlobs
from nacre.content.store import Ingest
from nacre.content.target import ignore_bytes
from nacre.errors import Unavailable
from nacre.images.intake import Unpacker
from nacre.images.receive import BrokenLayer, Received, Receiver, measure
from nacre.layers.toc import Toc
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from tests.unit.images.building import BASE, TOP, Layer, a_layer, a_plain_layer, a_tar
from tests.unit.images.test_receive import Source

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Place:
    """A store, its tables, and a driver that keeps what it was given."""

    def __init__(self, *, in_place: bool = True) -> None:
        self.blobs = MemoryBlobs()
        self.tables: dict[Digest, Toc] = {}
        self.unpacked: dict[Digest, bytes] = {}
        self.layers: list[Received] = []
        self._in_place = in_place
        unpacker = Unpacker(self, self, self._tar_blob)
        self.intake = unpacker.unpacking
        self._receiver = Receiver(self.blobs, on_layer=self.layers.append, intake=self.intake)

    @property
    def in_place(self) -> bool:
        return self._in_place

    def has(self, layer: Layer) -> bool:
        """Say whether all of a layer is here that the driver needs."""
        tar = Descriptor(mediatypes.OCI_LAYER_TAR, layer.diff_id, len(layer.tar))
        kept = self.blobs.exists(tar) if self.in_place else layer.diff_id in self.unpacked
        return kept and layer.diff_id in self.tables

    def put(self, toc: Toc) -> None:
        self.tables[toc.layer] = toc

    def receive(self, descriptor: Descriptor, source: Source) -> None:
        self._receiver.put(descriptor, source, ignore_bytes)

    @contextmanager
    def sink(self) -> Iterator[Sink]:
        yield Sink(self.unpacked)

    @contextmanager
    def _tar_blob(self) -> Iterator[Ingest]:
        with self.blobs.ingest() as ingest:
            yield ingest


class Sink:
    """Keeps one layer in memory."""

    def __init__(self, place: dict[Digest, bytes]) -> None:
        self._place = place
        self._data = b""

    def write(self, data: Buffer) -> None:
        self._data += bytes(data)

    def commit(self, toc: Toc) -> None:
        self._place[toc.layer] = self._data


@pytest.fixture(params=[True, False], ids=["in place", "unpacked"])
def place(request: pytest.FixtureRequest) -> Place:
    return Place(in_place=request.param)


def test_a_layer_is_ready_when_it_is_here(place: Place) -> None:
    place.receive(BASE.descriptor, Source(BASE.data))
    assert place.has(BASE)
    assert list(place.tables[BASE.diff_id].paths) == [b"base"]
    assert place.layers == [Received(BASE.descriptor, BASE.diff_id, len(BASE.tar))]


def test_a_driver_that_works_in_place_has_the_raw_tar_as_a_blob() -> None:
    place = Place(in_place=True)
    place.receive(BASE.descriptor, Source(BASE.data))
    tar = Descriptor(mediatypes.OCI_LAYER_TAR, BASE.diff_id, len(BASE.tar))
    assert place.blobs.open(tar).read() == BASE.tar
    assert place.unpacked == {}


def test_another_driver_is_fed_and_no_tar_is_kept() -> None:
    place = Place(in_place=False)
    place.receive(BASE.descriptor, Source(BASE.data))
    assert list(place.blobs) == [BASE.descriptor.digest]
    assert place.unpacked == {BASE.diff_id: BASE.tar}


def test_a_plain_layer_is_kept_once(place: Place) -> None:
    layer = a_plain_layer(a_tar(a=b"1"))
    place.receive(layer.descriptor, Source(layer.data))
    assert list(place.blobs) == [layer.diff_id]
    assert place.has(layer)


def test_a_resumed_layer_is_unpacked_from_its_beginning(place: Place) -> None:
    source = Source(BASE.data, stops_at=70)
    with pytest.raises(Unavailable):
        place.receive(BASE.descriptor, source)
    assert not place.has(BASE)
    assert place.tables == {}

    place.receive(BASE.descriptor, source)
    assert source.offsets == [0, 70]
    assert place.has(BASE)


def test_a_layer_that_is_here_already_can_be_unpacked_later(place: Place) -> None:
    with place.blobs.ingest(TOP.descriptor) as ingest:
        ingest.write(TOP.data)
        ingest.commit(TOP.descriptor.media_type)
    measure(place.blobs, TOP.descriptor, place.intake)
    assert place.has(TOP)


def test_bytes_that_are_wrong_leave_nothing_unpacked(place: Place) -> None:
    source = Source(BASE.data, first=BASE.data[:-5])
    place.receive(BASE.descriptor, source)
    assert place.has(BASE)
    assert len(place.layers) == 1


@pytest.mark.parametrize(
    "tar",
    [b"no tar at all" * 100, a_tar(a=b"1" * 600)[:700]],
    ids=["no tar", "ends inside a member"],
)
def test_what_is_no_tar_is_a_broken_layer(place: Place, tar: bytes) -> None:
    layer = a_layer(tar)
    with pytest.raises(BrokenLayer, match="cannot be unpacked"):
        place.receive(layer.descriptor, Source(layer.data))
    assert place.unpacked == {}
    assert place.tables == {}
    assert place.layers == []
