"""`copy`: which manifests of an index are taken, and layers that are elsewhere."""

from __future__ import annotations

import pytest

from nacre.errors import NotFound
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import make_index
from nacre.oci.platform import Platform, WrongPlatform
from nacre.testing.builders import Content as Made
from nacre.testing.builders import a_layer, an_image, an_index
from nacre.testing.targets import Shelf, a_referrer
from nacre.transports.copy import copy
from nacre.transports.events import (
    Event,
    Warned,
)
from nacre.transports.sides import SOURCE
from nacre.transports.walk import PRESENT, NoSuchPlatform
from tests.unit.transports.copies import (
    AMD64,
    ARM64,
    S390X,
    copied,
    for_platform,
    memory,
    with_layers,
)


class TestPlatforms:
    both = an_index([for_platform(AMD64), for_platform(ARM64)])

    def test_of_one_platform_its_manifest_becomes_the_root(self) -> None:
        root, target = copied(self.both, platforms=[ARM64])
        assert root == for_platform(ARM64).root
        assert not target.exists(self.both.root)
        assert not target.exists(for_platform(AMD64).root)

    def test_of_several_platforms_a_shorter_index_becomes_the_root(self) -> None:
        three = an_index([for_platform(each) for each in (AMD64, ARM64, S390X)])
        root, target = copied(three, platforms=[ARM64, AMD64])
        assert root == self.both.root
        assert target.exists(root)

    def test_of_all_platforms_the_index_stays(self) -> None:
        assert copied(self.both, platforms=[ARM64, AMD64])[0] == self.both.root

    def test_a_sparse_copy_keeps_the_index_and_moves_what_was_chosen(self) -> None:
        root, target = copied(self.both, platforms=[ARM64], sparse=True)
        assert root == self.both.root
        assert target.exists(for_platform(ARM64).root)
        assert not target.exists(for_platform(AMD64).root)

    def test_a_platform_that_is_not_there_is_refused_with_what_is(self) -> None:
        with pytest.raises(NoSuchPlatform) as caught:
            copied(self.both, platforms=[S390X])
        assert str(caught.value) == "one has no image for linux/s390x"
        assert caught.value.remedy == "it offers linux/amd64, linux/arm64"

    def test_present_takes_what_a_sparse_source_has(self) -> None:
        arm = Shelf(self.both, without=for_platform(AMD64).blobs)
        arm.blobs |= for_platform(ARM64).blobs
        assert copy(arm, "one", memory(), "two", platforms=PRESENT) == for_platform(ARM64).root
        assert copy(arm, "one", memory(), "two", platforms=PRESENT, sparse=True) == self.both.root

    def test_present_keeps_an_index_that_is_all_there(self) -> None:
        assert copied(self.both, platforms=PRESENT)[0] == self.both.root

    def test_present_of_nothing_is_refused(self) -> None:
        nothing = Shelf(self.both)
        nothing.blobs = {self.both.root.digest: self.both.blobs[self.both.root.digest]}
        with pytest.raises(NotFound, match="none of the images that one lists is here"):
            copy(nothing, "one", memory(), "two", platforms=PRESENT)

    def test_attestations_come_along_with_an_index_but_make_none(self) -> None:
        image = for_platform(AMD64)
        note = an_image([a_layer({"sbom": b""})], platform=Platform("unknown", "unknown"))
        about = {"vnd.docker.reference.digest": str(image.root.digest)}
        listed = [image.root, note.root.annotated(**about), for_platform(ARM64).root]
        index = make_index(listed)
        blobs = {**image.blobs, **note.blobs, **for_platform(ARM64).blobs}
        made = Made(index.descriptor, {**blobs, index.descriptor.digest: index.raw})
        assert copied(made, platforms=[AMD64])[0] == image.root
        sparse = copied(made, platforms=[AMD64], sparse=True)[1]
        assert sparse.exists(note.root)

    def test_a_lone_image_for_another_platform_is_refused_before_anything_moves(self) -> None:
        source, target = Shelf(for_platform(AMD64)), memory()
        with pytest.raises(WrongPlatform) as caught:
            copy(source, "one", target, "two", platforms=[ARM64])
        assert str(caught.value) == (
            "image with reference one was found but does not match the specified platform: "
            "wanted linux/arm64, actual: linux/amd64"
        )
        assert caught.value.__notes__ == [SOURCE]
        assert not any(target.exists(Descriptor("", each, 0)) for each in source.blobs)

    def test_a_lone_image_for_one_of_the_platforms_is_copied(self) -> None:
        image = for_platform(AMD64)
        assert copied(image, platforms=[ARM64, AMD64])[0] == image.root

    def test_an_artifact_is_for_every_platform(self) -> None:
        artifact = a_referrer(an_image().root)
        assert copied(artifact, platforms=[ARM64])[0] == artifact.root

    def test_another_platform_than_hoped_for_is_warned_of(self) -> None:
        events: list[Event] = []
        copied(for_platform(AMD64), platforms=[ARM64], exact=False, on_event=events.append)
        assert Warned("one is for linux/amd64, not for linux/arm64") in events

    def test_the_platform_asked_for_is_no_reason_to_warn(self) -> None:
        events: list[Event] = []
        wanted = [ARM64, AMD64]
        copied(for_platform(AMD64), platforms=wanted, exact=False, on_event=events.append)
        assert not [each for each in events if isinstance(each, Warned)]


class TestForeignLayers:
    foreign = Descriptor(
        mediatypes.DOCKER_FOREIGN_LAYER,
        Digest.of(b"far"),
        3,
        {"urls": ["https://elsewhere.test/far"]},
    )
    ordinary = Descriptor(
        mediatypes.OCI_LAYER_GZIP, Digest.of(b"far"), 3, {"urls": ["https://elsewhere.test/far"]}
    )

    @pytest.mark.parametrize("layer", [foreign, ordinary], ids=["foreign type", "urls only"])
    def test_an_absent_one_is_left_out_with_a_warning(self, layer: Descriptor) -> None:
        image, events = with_layers(an_image(), layer), list[Event]()
        source = Shelf(image)
        copy(source, "one", memory(), "two", on_event=events.append)
        assert layer.digest not in source.opened
        [warned] = [each.text for each in events if isinstance(each, Warned)]
        assert str(layer.digest) in warned

    def test_one_that_is_here_is_copied(self) -> None:
        image = with_layers(an_image(), self.foreign)
        _, target = copied(Made(image.root, {self.foreign.digest: b"far", **image.blobs}))
        assert target.exists(self.foreign)
