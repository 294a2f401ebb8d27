"""Putting content into a blob store: resumed, checked once, never twice."""

from __future__ import annotations

from typing import BinaryIO

import pytest

from nacre.content.memory import MemoryBlobs, MemoryRefs
from nacre.content.refs import RefNotFound
from nacre.content.store import CorruptBlob
from nacre.content.target import Placed, ignore_bytes
from nacre.oci.descriptor import Descriptor
from nacre.testing.builders import an_image
from nacre.testing.targets import opened, put_into
from nacre.transports.stored import StoredImages, put

DATA = bytes(range(256)) * 10_000
BLOB = Descriptor.of("a/b", DATA)


def interrupted(blobs: MemoryBlobs, data: bytes) -> None:
    with blobs.ingest(BLOB) as ingest:
        ingest.write(data)


def test_an_interrupted_put_goes_on_from_where_it_stopped() -> None:
    blobs, asked, told = MemoryBlobs(), list[int](), list[int]()
    interrupted(blobs, DATA[:1000])

    def content(offset: int) -> BinaryIO:
        asked.append(offset)
        return opened(DATA)(offset)

    assert put(blobs, BLOB, content, told.append) == Placed(len(DATA) - 1000)
    assert asked == [1000]
    assert told[-1] == len(DATA)


def test_wrong_bytes_of_an_earlier_attempt_are_read_again_once() -> None:
    blobs, asked = MemoryBlobs(), list[int]()
    interrupted(blobs, b"?" * 1000)

    def content(offset: int) -> BinaryIO:
        asked.append(offset)
        return opened(DATA)(offset)

    assert put(blobs, BLOB, content, ignore_bytes) == Placed(len(DATA))
    assert asked == [1000, 0]
    assert blobs.exists(BLOB)


def test_wrong_bytes_are_not_asked_for_twice() -> None:
    blobs, asked = MemoryBlobs(), list[int]()

    def content(offset: int) -> BinaryIO:
        asked.append(offset)
        return opened(bytes(len(DATA)))(offset)

    with pytest.raises(CorruptBlob):
        put(blobs, BLOB, content, ignore_bytes)
    assert asked == [0]
    assert not blobs.exists(BLOB)


def test_a_name_can_be_dropped_and_the_digest_still_leads_to_the_image() -> None:
    images, image = StoredImages(MemoryBlobs(), MemoryRefs()), an_image()
    put_into(images, image, "one")
    images.delete("one")
    with pytest.raises(RefNotFound):
        images.resolve("one")
    assert images.resolve(str(image.root.digest)) == image.root
