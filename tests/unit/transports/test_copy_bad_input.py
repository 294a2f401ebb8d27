"""`copy`: descriptors and manifests that contradict each other are refused."""

from __future__ import annotations

import io

import pytest

from nacre.content.store import CorruptBlob
from nacre.oci import mediatypes
from nacre.oci.config import InvalidConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import InvalidManifest, make_index, make_manifest
from nacre.testing.builders import Content as Made
from nacre.testing.builders import a_layer, an_image, an_index
from nacre.testing.targets import Shelf, a_referrer
from nacre.transports.copy import copy, copy_many
from tests.unit.transports.copies import (
    copied,
    layers_of,
    manifest_of,
    memory,
    of_manifest,
)


class TestBadInput:
    def test_a_layer_count_mismatch_is_refused_before_anything_is_named(self) -> None:
        image = an_image(config={"rootfs": {"type": "layers", "diff_ids": []}})
        target = memory()
        with pytest.raises(InvalidConfig, match="lists 1 layers but its config has 0"):
            copy(Shelf(image), "one", target, "two")
        assert list(target.names()) == []
        assert not target.exists(image.root)

    def test_a_config_moved_before_is_held_against_the_next_manifest_too(self) -> None:
        good = an_image()
        bad = make_manifest(manifest_of(good).config, [])
        source, target = memory(), memory()
        copy(Shelf(good), "one", source, "good")
        source.put(bad.descriptor, lambda offset: io.BytesIO(bad.raw[offset:]), lambda _: None)
        source.tag("bad", bad.descriptor)
        with pytest.raises(InvalidConfig):
            copy_many(source, [("good", "good"), ("bad", "bad")], target)
        assert list(target.names()) == ["good"]

    def test_wrong_bytes_are_refused_and_nothing_is_named(self) -> None:
        image, target = an_image(), memory()
        source = Shelf(image)
        source.blobs[layers_of(image)[0].digest] = bytes(layers_of(image)[0].size)
        with pytest.raises(CorruptBlob):
            copy(source, "one", target, "two")
        assert not target.exists(layers_of(image)[0])
        assert list(target.names()) == []

    def test_a_child_of_another_kind_than_its_index_says_is_refused(self) -> None:
        image = an_image()
        lying = Descriptor(mediatypes.OCI_INDEX, image.root.digest, image.root.size)
        index = make_index([lying])
        made = Made(index.descriptor, {**image.blobs, index.descriptor.digest: index.raw})
        with pytest.raises(InvalidManifest):
            copied(made)

    def test_indexes_nested_without_end_are_refused(self) -> None:
        made = an_image()
        for _ in range(8):
            made = an_index([made])
        copied(made)
        made = an_index([made])
        with pytest.raises(InvalidManifest, match="nested more than 8 deep"):
            copied(made)

    def test_more_manifests_than_memory_can_hold_are_not_even_asked_for(self) -> None:
        listed = [
            Descriptor(mediatypes.OCI_MANIFEST, Digest.of(b"%d" % number), 4_000_000)
            for number in range(20)
        ]
        index = make_index(listed)
        made = Made(index.descriptor, {index.descriptor.digest: index.raw})
        with pytest.raises(InvalidManifest, match="bytes of manifests and configs"):
            copied(made)

    def test_an_artifact_is_no_image_and_its_config_is_not_read(self) -> None:
        subject = an_image()
        root, target = copied(a_referrer(subject.root))
        assert target.exists(root)


def listing_twice(data: bytes, **changes: object) -> Made:
    """Return an image that lists a layer twice, the second time with other properties."""
    image = an_image([data, data], compressed=False)
    config, layer = manifest_of(image).config, layers_of(image)[0]
    again = Descriptor.from_json({**layer.to_json(), **changes}, "layer")
    return of_manifest(make_manifest(config, [layer, again]), image)


@pytest.mark.parametrize("change", [{"size": 7}, {"mediaType": mediatypes.OCI_LAYER_GZIP}])
def test_a_layer_that_is_listed_as_two_things_is_refused(change: dict[str, object]) -> None:
    target = memory()
    with pytest.raises(InvalidManifest, match="is listed"):
        copy(Shelf(listing_twice(a_layer({"a": b"1"}), **change)), "one", target, "two")
    assert not list(target.names())


def test_the_same_layer_in_words_of_two_families_is_one() -> None:
    made = listing_twice(a_layer({"a": b"1"}), mediaType=mediatypes.DOCKER_LAYER_TAR)
    target = memory()
    copy(Shelf(made), "one", target, "two")
    assert list(target.names()) == ["two"]


def test_a_blob_that_a_later_image_lists_with_another_size_is_refused() -> None:
    first = an_image([a_layer({"a": b"1"})], compressed=False)
    layer = layers_of(first)[0]
    wrong = Descriptor(layer.media_type, layer.digest, layer.size + 1)
    second = of_manifest(make_manifest(manifest_of(first).config, [wrong]), first)

    class Both(Shelf):
        def resolve(self, name: str) -> Descriptor:
            return {"first": first, "second": second}[name].root

    source, target = Both(second), memory()
    with pytest.raises(InvalidManifest, match="is listed"):
        copy_many(source, [("first", "first"), ("second", "second")], target)
    assert list(target.names()) == ["first"]
