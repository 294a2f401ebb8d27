"""Images: lazy views that name what is missing."""

from __future__ import annotations

import pytest

from nacre.content.store import CorruptBlob
from nacre.errors import Invalid
from nacre.images.image import Image, NotAnImage
from nacre.images.select import MissingContent
from nacre.oci.chain import chain_ids
from nacre.oci.config import InvalidConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest
from nacre.oci.manifest import parse as parse_manifest
from tests.unit.images.building import AMD64, ARM64, BASE, TOP, Builder


def manifest_of(built: Builder, root: Descriptor) -> Manifest:
    document = parse_manifest(built.blobs.open(root).read(), root.media_type)
    assert isinstance(document, Manifest)
    return document


def test_views(built: Builder) -> None:
    root = built.image()
    image = Image(built.blobs, root, AMD64)
    manifest = manifest_of(built, root)
    assert image.descriptor == image.manifest_descriptor == root
    assert image.manifest == manifest
    assert image.is_image
    assert image.id == manifest.config.digest == image.config.digest
    assert image.layers == (BASE.descriptor, TOP.descriptor)
    assert image.diff_ids == (BASE.diff_id, TOP.diff_id)
    assert image.chain_ids == chain_ids(image.diff_ids)
    assert image.created == "2026-01-02T03:04:05Z"
    assert image.platform == AMD64
    assert repr(image) == f"<Image {root.digest}>"


def test_nothing_is_read_before_it_is_asked_for(built: Builder) -> None:
    root = Descriptor("application/x", Digest.of(b"absent"), 6)
    assert Image(built.blobs, root, AMD64).descriptor == root


def test_an_index_stands_for_the_platforms_manifest(built: Builder) -> None:
    arm = built.image(platform=ARM64).on(ARM64)
    root = built.index(built.image().on(AMD64), arm)
    image = Image(built.blobs, root, ARM64)
    assert image.descriptor == root
    assert image.manifest_descriptor == arm
    assert image.platform == ARM64
    assert [offer.platform for offer in image.platforms] == [AMD64, ARM64]


def test_a_manifest_offers_its_own_platform(built: Builder) -> None:
    (offer,) = Image(built.blobs, built.image(platform=ARM64), AMD64).platforms
    assert (offer.platform, offer.present) == (ARM64, True)


def test_a_missing_config_is_named(built: Builder) -> None:
    root = built.image()
    config = manifest_of(built, root).config
    built.blobs.delete(config.digest)
    image = Image(built.blobs, root, AMD64)
    assert image.layers  # what is here can still be seen
    with pytest.raises(MissingContent, match=f"config {config.digest} is not here") as caught:
        _ = image.created
    assert "pull" in caught.value.remedy


def test_layer_count_mismatch(built: Builder) -> None:
    root = built.image(rootfs={"type": "layers", "diff_ids": [BASE.diff_id]})
    with pytest.raises(InvalidConfig, match="lists 2 layers but its config has 1 diff_ids"):
        _ = Image(built.blobs, root, AMD64).diff_ids


def test_a_config_over_4_mib_is_not_read(built: Builder) -> None:
    root = built.image(padding="x" * 5_000_000)
    with pytest.raises(Invalid, match="larger than 4194304 bytes"):
        _ = Image(built.blobs, root, AMD64).config


def test_reads_are_checked(built: Builder) -> None:
    root = built.image()
    wrong = Descriptor(root.media_type, root.digest, root.size - 1)
    with pytest.raises(CorruptBlob):
        _ = Image(built.blobs, wrong, AMD64).manifest


def test_an_artifact_is_no_image(built: Builder) -> None:
    root = built.artifact(**{"org.opencontainers.image.created": "2026-05-06T07:08:09Z"})
    artifact = Image(built.blobs, root, AMD64)
    assert not artifact.is_image
    assert artifact.id == root.digest
    assert len(artifact.layers) == 1
    assert artifact.created == "2026-05-06T07:08:09Z"
    assert artifact.platforms == ()
    with pytest.raises(NotAnImage, match="is an artifact of type"):
        _ = artifact.config
