"""Choosing a manifest of an index, among those that are here."""

from __future__ import annotations

import pytest

from nacre.errors import NotFound
from nacre.images.select import MissingContent, PlatformNotFound, offers, select
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import InvalidManifest, make_index
from nacre.oci.platform import Platform, WrongPlatform
from tests.unit.images.building import AMD64, ARM64, Builder

ARM_7, ARM_6 = Platform("linux", "arm", "v7"), Platform("linux", "arm", "v6")
UNKNOWN = Platform("unknown", "unknown")


def elsewhere(platform: Platform) -> Descriptor:
    """Return the descriptor of a manifest that is not in the store."""
    return Descriptor.of(mediatypes.OCI_MANIFEST, str(platform).encode()).on(platform)


def test_a_manifest_is_its_own_choice(built: Builder) -> None:
    root = built.image(platform=ARM64)
    assert select(root, built.blobs, AMD64)[0] == root


def test_the_best_that_is_here(built: Builder) -> None:
    amd, arm = built.image().on(AMD64), built.image(platform=ARM64).on(ARM64)
    root = built.index(arm, amd)
    descriptor, manifest = select(root, built.blobs, AMD64)
    assert descriptor == amd
    assert manifest.descriptor == amd
    assert select(root, built.blobs, ARM64)[0] == arm


def test_a_better_one_that_is_not_here_is_passed_over(built: Builder) -> None:
    arm_6 = built.image(platform=ARM_6).on(ARM_6)
    root = built.index(elsewhere(ARM_7), arm_6)
    assert select(root, built.blobs, ARM_7)[0] == arm_6


def test_another_platform_that_is_here_rather_than_nothing(built: Builder) -> None:
    arm = built.image(platform=ARM64).on(ARM64)
    root = built.index(elsewhere(AMD64), arm)
    assert select(root, built.blobs, AMD64)[0] == arm


def test_exact_refuses_another_platform(built: Builder) -> None:
    root = built.index(elsewhere(AMD64), built.image(platform=ARM64).on(ARM64))
    with pytest.raises(PlatformNotFound, match="not here for linux/amd64") as caught:
        select(root, built.blobs, AMD64, exact=True)
    assert "linux/amd64, linux/arm64" in str(caught.value)
    assert "--platform" in caught.value.remedy


def test_exact_refuses_a_lone_image_for_another_platform(built: Builder) -> None:
    for root in (built.image(platform=ARM64), built.index(built.image(platform=ARM64))):
        with pytest.raises(WrongPlatform) as caught:
            select(root, built.blobs, AMD64, exact=True)
        assert str(caught.value) == (
            f"image with reference {root.digest} was found but does not match the specified "
            "platform: wanted linux/amd64, actual: linux/arm64"
        )
        assert select(root, built.blobs, ARM64, exact=True)[1].is_image


def test_exact_takes_an_artifact_for_any_platform(built: Builder) -> None:
    root = built.artifact()
    assert select(root, built.blobs, AMD64, exact=True)[0] == root


def test_nothing_of_an_index_is_here(built: Builder) -> None:
    with pytest.raises(PlatformNotFound):
        select(built.index(elsewhere(AMD64)), built.blobs, AMD64)
    with pytest.raises(PlatformNotFound, match="offers none"):
        select(built.index(), built.blobs, AMD64)


def test_an_attestation_is_never_the_choice(built: Builder) -> None:
    root = built.index(elsewhere(AMD64), built.artifact().on(UNKNOWN))
    with pytest.raises(PlatformNotFound):
        select(root, built.blobs, AMD64)


def test_an_index_in_an_index(built: Builder) -> None:
    amd = built.image().on(AMD64)
    root = built.index(built.index(amd))
    assert select(root, built.blobs, AMD64)[0] == amd


def test_indexes_nested_without_end(built: Builder) -> None:
    root = built.image()
    for _ in range(9):
        root = built.index(root)
    with pytest.raises(InvalidManifest, match="nested"):
        select(root, built.blobs, AMD64)


def test_the_root_is_not_here(built: Builder) -> None:
    with pytest.raises(MissingContent, match="manifest sha256:") as caught:
        select(elsewhere(AMD64), built.blobs, AMD64)
    assert isinstance(caught.value, NotFound)
    assert caught.value.remedy


def test_offers_say_what_is_here(built: Builder) -> None:
    amd, arm = built.image().on(AMD64), elsewhere(ARM64)
    index = make_index([amd, arm, built.artifact().on(UNKNOWN), built.artifact()])
    found = offers(index, built.blobs)
    assert [(offer.platform, offer.descriptor, offer.present) for offer in found] == [
        (AMD64, amd, True),
        (ARM64, arm, False),
    ]


def test_a_blob_that_an_index_lists_is_never_the_choice(built: Builder) -> None:
    text = built.add("text/plain", b"no manifest")
    image = built.image()
    assert select(built.index(text, image), built.blobs, AMD64)[0] == image
    assert select(built.index(text.on(AMD64), image.on(AMD64)), built.blobs, AMD64)[0] == image
    with pytest.raises(PlatformNotFound):
        select(built.index(text), built.blobs, AMD64)


def test_exact_does_not_take_what_states_no_platform_for_the_only_one_listed(
    built: Builder,
) -> None:
    absent = Descriptor.of(mediatypes.OCI_MANIFEST, b"absent")
    root = built.index(built.image(), absent)
    with pytest.raises(PlatformNotFound):
        select(root, built.blobs, ARM64, exact=True)
