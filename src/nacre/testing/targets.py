"""The contract suite of sources and targets: what every place that images are copied to promises.

A place is written to and then read from, each in a block of its own, because an archive can be
read only when it is complete::

    class TestLayout(TargetContract):
        @pytest.fixture
        def place(self, tmp_path):
            return Layout(tmp_path)
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import BinaryIO, Protocol

from nacre.content.store import BlobNotFound
from nacre.content.target import Content as Opened
from nacre.content.target import Source, Target, ignore_bytes
from nacre.errors import Invalid, NacreError, NotFound
from nacre.oci import manifest as manifests
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest
from nacre.oci.platform import Platform
from nacre.oci.strictjson import encode
from nacre.testing.builders import Content, a_layer, an_image, an_index
from nacre.testing.contracts import raises
from nacre.transports.copy import copy

_DATA = bytes(range(256)) * 10_000
_BLOB = Descriptor.of(mediatypes.OCI_LAYER_TAR, _DATA)
_EMPTY = Descriptor.of(mediatypes.OCI_LAYER_TAR, b"")
_ABSENT = Descriptor.of(mediatypes.OCI_LAYER_TAR, b"absent")


class Place(Protocol):
    """Somewhere images can be; each block may be entered once, the target's first."""

    def target(self) -> AbstractContextManager[Target]:
        """Enter the writing of images."""

    def source(self) -> AbstractContextManager[Source]:
        """Enter the reading of what was written."""


class TargetContract:
    """What a `Target`, and the `Source` of the same place, promise; ``place`` is an empty one."""

    def test_what_is_put_can_be_read(self, place: Place) -> None:
        with place.target() as target:
            image = _image_with(_DATA)
            put_into(target, image, "one:1")
        with place.source() as source:
            assert source.resolve("one:1") == image.root
            for descriptor in _parts(image):
                assert source.exists(descriptor)
                with source.open(descriptor) as stream:
                    assert stream.read() == image.blobs[descriptor.digest]

    def test_a_stream_starts_at_an_offset(self, place: Place) -> None:
        with place.target() as target:
            put_into(target, _image_with(_DATA), "one:1")
        with place.source() as source, source.stream(_BLOB, 1000) as stream:
            assert stream.read(10) == _DATA[1000:1010]

    def test_what_is_here_is_not_opened_again(self, place: Place) -> None:
        with place.target() as target:
            assert not target.exists(_BLOB)
            assert target.put(_BLOB, opened(_DATA), ignore_bytes).moved == _BLOB.size
            assert target.exists(_BLOB)
            assert target.put(_BLOB, _never, ignore_bytes).moved == 0
            put_into(target, _image_with(_DATA), "one:1")

    def test_an_empty_blob_is_a_blob(self, place: Place) -> None:
        with place.target() as target:
            put_into(target, _image_with(b""), "one:1")
        with place.source() as source, source.open(_EMPTY) as stream:
            assert stream.read() == b""

    def test_offsets_are_told_up_to_the_size(self, place: Place) -> None:
        told: list[int] = []
        with place.target() as target:
            target.put(_BLOB, opened(_DATA), told.append)
            put_into(target, _image_with(_DATA), "one:1")
        assert told == sorted(told)
        assert told[-1] == _BLOB.size

    def test_wrong_bytes_are_refused(self, place: Place) -> None:
        _refuses(place, bytes(_BLOB.size))

    def test_too_few_bytes_are_refused(self, place: Place) -> None:
        _refuses(place, _DATA[:-1])

    def test_too_many_bytes_are_refused_or_left_out(self, place: Place) -> None:
        with suppress(Invalid), place.target() as target:
            try:
                target.put(_BLOB, opened(_DATA + b"!"), ignore_bytes)
            except Invalid:
                assert not target.exists(_BLOB)
                raise
            put_into(target, _image_with(_DATA), "one:1")
        with suppress(NotFound), place.source() as source, source.open(_BLOB) as stream:
            assert stream.read() == _DATA

    def test_a_name_can_be_moved(self, place: Place) -> None:
        first, second = _image_with(b"first"), _image_with(b"second")
        with place.target() as target:
            put_into(target, first, "one:1")
            put_into(target, second, "one:1")
            target.tag("one:2", first.root)
        with place.source() as source:
            assert source.resolve("one:1") == second.root
            assert source.resolve("one:2") == first.root

    def test_what_is_absent_is_not_found(self, place: Place) -> None:
        with place.target() as target:
            put_into(target, an_image(), "one:1")
        with place.source() as source:
            assert not source.exists(_ABSENT)
            with raises(NotFound):
                source.resolve("one:3")
            with raises(NotFound):
                source.stream(_ABSENT).close()

    def test_an_image_is_found_by_its_digest(self, place: Place) -> None:
        with place.target() as target:
            image = an_image()
            put_into(target, image, "one:1")
        with place.source() as source:
            assert source.resolve(str(image.root.digest)) == image.root

    def test_an_index_of_indexes_arrives_whole(self, place: Place) -> None:
        memory = Shelf(nested := an_index([an_index([_on("amd64")]), _on("arm64")]))
        with place.target() as target:
            assert copy(memory, "", target, "one:1") == nested.root
        with place.source() as source:
            assert source.resolve("one:1") == nested.root
            for descriptor in _parts(nested):
                with source.open(descriptor) as stream:
                    assert stream.read() == nested.blobs[descriptor.digest]


class Shelf:
    """A source that holds one thing, under every name; ``without`` leaves blobs of it out."""

    def __init__(self, content: Content, *, without: Mapping[Digest, object] | None = None) -> None:
        self.root = content.root
        self.blobs = {
            digest: data for digest, data in content.blobs.items() if digest not in (without or {})
        }
        self.opened: list[Digest] = []

    def resolve(self, name: str) -> Descriptor:
        """Return the root, whatever the name."""
        return self.root if not name.startswith("sha256:") else self._by_digest(Digest(name))

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return the bytes, which are known to be right."""
        return self.stream(descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return the bytes from an offset on, and note that they were asked for."""
        self.opened.append(descriptor.digest)
        if descriptor.digest not in self.blobs:
            raise BlobNotFound(descriptor.digest, "the shelf")
        return io.BytesIO(self.blobs[descriptor.digest][offset:])

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether the blob is here."""
        return descriptor.digest in self.blobs

    def _by_digest(self, digest: Digest) -> Descriptor:
        raw = self.blobs[digest]
        return Descriptor(manifests.media_type_of(raw), digest, len(raw))


def put_into(target: Target, content: Content, name: str) -> None:
    """Put all of an image into a target, children before parents, and name it."""
    for descriptor in _parts(content):
        target.put(descriptor, opened(content.blobs[descriptor.digest]), ignore_bytes)
    target.tag(name, content.root.bare())


def opened(data: bytes) -> Opened:
    """Return what opens these bytes from an offset on."""
    return partial(_open, data)


def a_referrer(subject: Descriptor, artifact_type: str = "application/vnd.test.note") -> Content:
    """Return a small artifact that says something about another manifest."""
    note = Descriptor.of("text/plain", b"a note")
    empty = Descriptor.of(mediatypes.OCI_EMPTY, b"{}")
    raw = encode(
        {
            "schemaVersion": 2,
            "mediaType": mediatypes.OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": empty.to_json(),
            "layers": [note.to_json()],
            "subject": subject.bare().to_json(),
        }
    )
    root = Descriptor.of(mediatypes.OCI_MANIFEST, raw)
    return Content(root, {empty.digest: b"{}", note.digest: b"a note", root.digest: raw})


def _parts(content: Content) -> list[Descriptor]:
    """Return the descriptors of all parts, in the order of their bytes."""
    found = {content.root.digest: content.root.bare()}
    for data in content.blobs.values():
        for child in _children(data):
            found[child.digest] = child.bare()
    return [found[digest] for digest in content.blobs]


def _children(data: bytes) -> tuple[Descriptor, ...]:
    try:
        document: Manifest | Index = manifests.parse(data, manifests.media_type_of(data))
    except NacreError:
        return ()
    if isinstance(document, Index):
        return document.manifests
    return (document.config, *document.layers)


def _image_with(layer: bytes) -> Content:
    return an_image([layer], compressed=False)


def _on(architecture: str) -> Content:
    return an_image(
        [a_layer({"machine": architecture.encode()})], platform=Platform("linux", architecture)
    )


def _refuses(place: Place, data: bytes) -> None:
    with raises(Invalid), place.target() as target:
        try:
            target.put(_BLOB, opened(data), ignore_bytes)
        finally:
            assert not target.exists(_BLOB)


def _open(data: bytes, offset: int) -> BinaryIO:
    return io.BytesIO(data[offset:])


def _never(_offset: int) -> BinaryIO:
    raise AssertionError("what is here was opened again")
