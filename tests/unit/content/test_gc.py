from __future__ import annotations

from pathlib import Path

import pytest

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.gc import garbage, reachable
from nacre.content.memory import MemoryBlobs
from nacre.content.store import CorruptBlob
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest, make_index, make_manifest, parse
from nacre.oci.platform import Platform
from nacre.oci.strictjson import encode
from nacre.testing import a_layer, an_image, an_index
from nacre.testing.builders import Content, put
from nacre.value import replace

ONE = an_image([a_layer({"a": b"1"}), a_layer({"b": b"2"})])
TWO = an_image([a_layer({"a": b"1"}), a_layer({"c": b"3"})], platform=Platform("linux", "arm64"))
BOTH = an_index([ONE, TWO])
TAR = a_layer({"a": b"1"})
ONES_TARS = {Digest.of(a_layer({"a": b"1"})), Digest.of(a_layer({"b": b"2"}))}
TWOS_TARS = {Digest.of(a_layer({"a": b"1"})), Digest.of(a_layer({"c": b"3"}))}


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


def manifest_of(image: Content) -> Manifest:
    document = parse(image.blobs[image.root.digest], image.root.media_type)
    assert isinstance(document, Manifest)
    return document


def make_config_descriptor(blobs: MemoryBlobs, diff_ids: list[Digest]) -> Descriptor:
    fields = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": diff_ids}}
    config = Descriptor.of(mediatypes.OCI_CONFIG, encode(fields))
    put(blobs, config, encode(fields))
    return config


def store_manifest(blobs: MemoryBlobs, raw: bytes, media_type: str) -> Descriptor:
    descriptor = Descriptor.of(media_type, raw)
    put(blobs, descriptor, raw)
    return descriptor


def test_an_image_is_its_manifest_config_and_layers_unpacked_too(blobs: MemoryBlobs) -> None:
    assert reachable([ONE.into(blobs)], blobs) == set(ONE.blobs) | ONES_TARS


def test_a_raw_tar_lives_as_long_as_an_image_of_it(blobs: MemoryBlobs) -> None:
    BOTH.into(blobs)
    tar = a_layer({"b": b"2"})
    put(blobs, Descriptor.of(mediatypes.OCI_LAYER_TAR, tar), tar)
    assert Digest.of(tar) not in garbage(blobs, reachable([ONE.root], blobs))
    assert Digest.of(tar) in garbage(blobs, reachable([TWO.root], blobs))


def test_a_held_config_keeps_its_raw_tars(blobs: MemoryBlobs) -> None:
    ONE.into(blobs)
    config = make_config_descriptor(blobs, [Digest.of(b"tar")])
    assert reachable([config], blobs) == {config.digest, Digest.of(b"tar")}


@pytest.mark.parametrize("raw", [b"[]", b"{}", b'{"rootfs":{"diff_ids":["sha256:.."]}}', b"{"])
def test_a_config_that_makes_no_sense_leads_nowhere(blobs: MemoryBlobs, raw: bytes) -> None:
    config = Descriptor.of(mediatypes.OCI_CONFIG, raw)
    put(blobs, config, raw)
    assert reachable([config], blobs) == {config.digest}


def test_a_damaged_config_leads_nowhere_and_stops_nothing(tmp_path: Path) -> None:
    blobs = FilesystemBlobs(tmp_path)
    ONE.into(blobs)
    config = manifest_of(ONE).config
    next(tmp_path.rglob(config.digest.encoded)).write_bytes(b"x" * config.size)
    assert reachable([ONE.root], blobs) == set(ONE.blobs)


def test_an_index_is_all_its_images(blobs: MemoryBlobs) -> None:
    assert reachable([BOTH.into(blobs)], blobs) == set(BOTH.blobs) | ONES_TARS | TWOS_TARS


def test_docker_media_types_are_followed_too(blobs: MemoryBlobs) -> None:
    index = an_index([an_image([TAR], docker=True)], docker=True)
    assert reachable([index.into(blobs)], blobs) == {*index.blobs, Digest.of(TAR)}


def test_garbage_is_what_nothing_alive_needs(blobs: MemoryBlobs) -> None:
    BOTH.into(blobs)
    alive = reachable([ONE.root], blobs)
    assert garbage(blobs, alive) == sorted(set(BOTH.blobs) - set(ONE.blobs))


def test_without_roots_everything_is_garbage(blobs: MemoryBlobs) -> None:
    BOTH.into(blobs)
    assert garbage(blobs, reachable([], blobs)) == sorted(BOTH.blobs)


def test_platforms_that_are_not_here_count_and_lead_nowhere(blobs: MemoryBlobs) -> None:
    BOTH.into(blobs)
    for digest in set(TWO.blobs) - set(ONE.blobs):
        blobs.delete(digest)
    alive = reachable([BOTH.root], blobs)
    assert set(ONE.blobs) | ONES_TARS | {BOTH.root.digest, TWO.root.digest} == alive
    assert garbage(blobs, alive) == []


def test_layers_still_to_come_count(blobs: MemoryBlobs) -> None:
    ONE.into(blobs)
    for digest in ONE.blobs:
        if digest != ONE.root.digest:
            blobs.delete(digest)
    assert reachable([ONE.root], blobs) == set(ONE.blobs)


def test_held_blobs_that_are_no_manifests_count_alone(blobs: MemoryBlobs) -> None:
    layer = Descriptor.of(mediatypes.OCI_LAYER_TAR, b"layer")
    assert reachable([layer], blobs) == {layer.digest}


def test_a_subject_is_no_part(blobs: MemoryBlobs) -> None:
    ONE.into(blobs)
    fields = {**make_index([]).fields, "subject": ONE.root.to_json()}
    root = store_manifest(blobs, encode(fields), mediatypes.OCI_INDEX)
    assert reachable([root], blobs) == {root.digest}


def test_a_damaged_manifest_stops_the_collection(tmp_path: Path) -> None:
    blobs = FilesystemBlobs(tmp_path)
    ONE.into(blobs)
    path = next(tmp_path.rglob(ONE.root.digest.encoded))
    path.write_bytes(path.read_bytes().replace(b"layers", b"mayors"))
    with pytest.raises(CorruptBlob, match="cannot tell what is garbage") as caught:
        reachable([ONE.root], blobs)
    assert caught.value.remedy


def test_a_manifest_that_makes_no_sense_leads_nowhere(blobs: MemoryBlobs) -> None:
    root = store_manifest(blobs, b"[]", mediatypes.OCI_MANIFEST)
    old = store_manifest(blobs, b'{"schemaVersion":1}', mediatypes.OCI_MANIFEST)
    assert reachable([root, old], blobs) == {root.digest, old.digest}


def test_a_manifest_over_4_mib_is_not_read(blobs: MemoryBlobs) -> None:
    root = store_manifest(blobs, b" " * (4 * 1024 * 1024 + 1), mediatypes.OCI_MANIFEST)
    assert reachable([root], blobs) == {root.digest}


def test_another_image_cannot_hide_ours_as_its_layer(blobs: MemoryBlobs) -> None:
    ours = ONE.into(blobs)
    disguised = replace(ours, media_type=mediatypes.OCI_LAYER_GZIP, fields={})
    theirs = make_manifest(Descriptor.of(mediatypes.OCI_CONFIG, b"{}"), [disguised])
    root = store_manifest(blobs, theirs.raw, mediatypes.OCI_MANIFEST)
    for roots in ([root, ours], [ours, root]):
        assert set(ONE.blobs) <= reachable(roots, blobs)


def test_another_image_cannot_hide_ours_under_another_manifest_type(blobs: MemoryBlobs) -> None:
    ours = ONE.into(blobs)
    disguised = Descriptor(mediatypes.DOCKER_MANIFEST, ours.digest, ours.size)
    root = store_manifest(blobs, make_index([disguised]).raw, mediatypes.OCI_INDEX)
    for roots in ([root, ours], [ours, root]):
        assert set(ONE.blobs) <= reachable(roots, blobs)


def test_a_lie_about_the_size_does_not_stop_the_collection(blobs: MemoryBlobs) -> None:
    ours = ONE.into(blobs)
    lie = Descriptor(ours.media_type, ours.digest, ours.size + 1)
    root = store_manifest(blobs, make_index([lie]).raw, mediatypes.OCI_INDEX)
    assert reachable([root], blobs) == {root.digest, *ONE.blobs, *ONES_TARS}


def test_indexes_within_indexes_are_followed(blobs: MemoryBlobs) -> None:
    outer = an_index([BOTH])
    assert reachable([outer.into(blobs)], blobs) == set(outer.blobs) | ONES_TARS | TWOS_TARS


def test_garbage_is_a_difference() -> None:
    one, two = Digest.of(b"1"), Digest.of(b"2")
    assert garbage([one, two], {two}) == [one]
