"""`copy`: what moves, in which order, and what happens when it cannot."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import BinaryIO

import pytest

from nacre.content.memory import MemoryBlobs, MemoryRefs
from nacre.content.store import BlobNotFound, CorruptBlob
from nacre.content.target import Content, OnBytes, Placed
from nacre.errors import NotFound, Unavailable
from nacre.oci import manifest as manifests
from nacre.oci import mediatypes
from nacre.oci.config import InvalidConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, InvalidManifest, Manifest, make_index, make_manifest
from nacre.oci.platform import Platform, WrongPlatform
from nacre.testing.builders import Content as Made
from nacre.testing.builders import a_layer, an_image, an_index
from nacre.testing.targets import Shelf, a_referrer
from nacre.transports.copy import copy, copy_many
from nacre.transports.events import (
    Event,
    Existed,
    Mounted,
    Progress,
    Queued,
    Stored,
    Tagged,
    Warned,
)
from nacre.transports.sides import DESTINATION, SOURCE
from nacre.transports.stored import StoredImages
from nacre.transports.walk import PRESENT, NoSuchPlatform

AMD64, ARM64, S390X = (Platform("linux", each) for each in ("amd64", "arm64", "s390x"))


def for_platform(platform: Platform) -> Made:
    layer = a_layer({"machine": platform.architecture.encode()})
    return an_image([a_layer({"base": b"shared"}), layer], platform=platform)


def memory() -> StoredImages:
    return StoredImages(MemoryBlobs(), MemoryRefs())


def layers_of(image: Made) -> tuple[Descriptor, ...]:
    return manifest_of(image).layers


def manifest_of(image: Made) -> Manifest:
    document = manifests.parse(image.blobs[image.root.digest], image.root.media_type)
    assert isinstance(document, Manifest)
    return document


def with_layers(image: Made, *more: Descriptor) -> Made:
    """Return an image with further layers and diff_ids, whose bytes are nowhere."""
    before = manifest_of(image)
    config = an_image(config={"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64] * 2}})
    raw = config.blobs[manifest_of(config).config.digest]
    document = make_manifest(Descriptor.of(mediatypes.OCI_CONFIG, raw), (before.layers[0], *more))
    layer = {before.layers[0].digest: image.blobs[before.layers[0].digest]}
    blobs = {Digest.of(raw): raw, **layer, Digest.of(document.raw): document.raw}
    return Made(document.descriptor, blobs)


class Recording:
    """A target that notes what it is asked, in order, and what was missing when it was."""

    def __init__(self) -> None:
        self.images = memory()
        self.put_order: list[Descriptor] = []
        self.premature: list[Descriptor] = []
        self.tagged: list[str] = []

    def exists(self, descriptor: Descriptor) -> bool:
        return self.images.exists(descriptor)

    def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
        placed = self.images.put(descriptor, content, on_bytes)
        if descriptor.is_manifest:
            with self.images.open(descriptor) as stream:
                document = manifests.parse(stream.read(), descriptor.media_type)
            children = (
                document.manifests
                if isinstance(document, Index)
                else (document.config, *document.layers)
            )
            self.premature += [each for each in children if not self.images.exists(each)]
        self.put_order.append(descriptor)
        return placed

    def tag(self, name: str, descriptor: Descriptor) -> None:
        self.tagged.append(name)
        self.images.tag(name, descriptor)


class InOrder(Recording):
    writes_in_order = True


class Naming(Recording):
    def put_named(self, name: str, descriptor: Descriptor, content: Content) -> Placed:
        self.tagged.append(name)
        return self.put(descriptor, content, lambda _offset: None)


def copied(image: Made, **options: object) -> tuple[Descriptor, StoredImages]:
    target = memory()
    return copy(Shelf(image), "one", target, "two", **options), target  # type: ignore[arg-type]


def test_an_image_arrives_whole_and_is_named() -> None:
    image = for_platform(AMD64)
    root, target = copied(image)
    assert root == image.root
    assert target.resolve("two") == image.root
    assert all(target.exists(each) for each in (manifest_of(image).config, *layers_of(image)))


def test_without_a_target_name_nothing_is_named() -> None:
    target = memory()
    root = copy(Shelf(an_image()), "one", target)
    assert target.exists(root)
    assert list(target.names()) == []


def test_every_manifest_is_put_after_what_it_refers_to_and_the_root_last() -> None:
    shared = for_platform(AMD64)
    nested = an_index([shared, an_index([shared, for_platform(ARM64)])])
    target = Recording()
    copy(Shelf(nested), "one", target, "two")
    assert target.premature == []
    assert target.put_order[-1] == nested.root
    assert target.tagged == ["two"]


def test_shared_content_is_put_once() -> None:
    target = Recording()
    copy(Shelf(an_index([for_platform(AMD64), for_platform(ARM64)])), "one", target, "two")
    digests = [each.digest for each in target.put_order]
    assert len(digests) == len(set(digests)) == 8  # 3 layers, 2 configs, 2 manifests, the index


def test_several_images_share_what_was_moved() -> None:
    images = [for_platform(AMD64), for_platform(ARM64)]
    source, target, events = memory(), Recording(), list[Event]()
    for position, image in enumerate(images):
        copy(Shelf(image), "one", source, f"tag{position}")
    names = [("tag0", "a"), ("tag1", "b")]
    assert copy_many(source, names, target, on_event=events.append) == [i.root for i in images]
    assert target.tagged == ["a", "b"]
    base = layers_of(images[0])[0]
    assert [each for each in events if each == Queued(base)] == [Queued(base)]
    assert len([each for each in target.put_order if each == base]) == 1


def test_what_the_target_has_is_told_as_existing() -> None:
    image, target = an_image(), memory()
    copy(Shelf(image), "one", target, "two")
    events: list[Event] = []
    source = Shelf(image)
    copy(source, "one", target, "two", on_event=events.append)
    parts = {manifest_of(image).config, *layers_of(image)}
    assert {each.descriptor for each in events if isinstance(each, Existed)} == parts
    assert not [each for each in events if isinstance(each, Stored)]
    assert layers_of(image)[0].digest not in source.opened


def test_events_tell_the_story_in_order() -> None:
    image, events = an_image(), list[Event]()
    target = memory()
    copy(Shelf(image), "one", target, "two", on_event=events.append, jobs=1)
    config, layer = manifest_of(image).config, layers_of(image)[0]
    assert events == [
        Queued(config),
        Queued(layer),
        Progress(config, config.size),
        Stored(config, config.size),
        Progress(layer, layer.size),
        Stored(layer, layer.size),
        Tagged("two", image.root),
    ]


def test_a_mounted_blob_is_told_with_its_origin() -> None:
    class Mounting(Recording):
        def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
            super().put(descriptor, content, on_bytes)
            return Placed(0, "team/base")

    image, events = an_image(), list[Event]()
    copy(Shelf(image), "one", Mounting(), "two", on_event=events.append)
    assert Mounted(layers_of(image)[0], "team/base") in events


def test_a_target_that_writes_in_order_gets_the_same_order_every_time() -> None:
    image = an_index([for_platform(AMD64), for_platform(ARM64)])
    orders = []
    for _ in range(3):
        target = InOrder()
        copy(Shelf(image), "one", target, "two", jobs=8)
        orders.append(target.put_order)
    assert orders[0] == orders[1] == orders[2]


def test_a_target_that_can_name_while_putting_is_asked_to() -> None:
    target, image = Naming(), an_image()
    copy(Shelf(image), "one", target, "two")
    assert target.tagged == ["two"]
    assert target.put_order.count(image.root.bare()) == 1


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
        source.put(bad.descriptor, lambda offset: _bytes(bad.raw[offset:]), lambda _: None)
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


class TestReferrers:
    image = an_image()
    signature = a_referrer(image.root)
    countersignature = a_referrer(signature.root)

    class Source(Shelf):
        def __init__(self, *made: Made) -> None:
            super().__init__(made[0])
            self.made = made
            for each in made:
                self.blobs |= each.blobs

        def referrers(self, digest: Digest, artifact_type: str = "") -> Index:
            return make_index(
                each.root
                for each in self.made
                if (about := manifest_of(each).subject) and about.digest == digest
            )

    def test_they_come_along_when_asked_for_and_theirs_too(self) -> None:
        target = memory()
        source = self.Source(self.image, self.signature, self.countersignature)
        copy(source, "one", target, "two", referrers=True)
        assert target.exists(self.signature.root)
        assert target.exists(self.countersignature.root)
        assert list(target.names()) == ["two"]

    def test_they_stay_when_not_asked_for(self) -> None:
        target = memory()
        copy(self.Source(self.image, self.signature), "one", target, "two")
        assert not target.exists(self.signature.root)


class Failing(Shelf):
    """A source one of whose layers fails, once the others have begun and never end."""

    def __init__(self, image: Made, fail: Callable[[], None], *, began: int) -> None:
        super().__init__(image)
        self._failing = layers_of(image)[0].digest
        self._slow = {each.digest for each in layers_of(image)[1 : 1 + began]}
        self._began = threading.Barrier(began + 1, timeout=60)
        self._fail = fail

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        if descriptor.digest in self._slow:
            return Endless(self._began)  # type: ignore[return-value]
        if descriptor.digest == self._failing:
            self._began.wait()
            self._fail()
        return super().stream(descriptor, offset)


class Endless:
    """A stream whose end only the one who reads can decide."""

    def __init__(self, began: threading.Barrier) -> None:
        self._began: threading.Barrier | None = began

    def read(self, size: int = -1) -> bytes:
        if self._began is not None:
            self._began.wait()
            self._began = None
        return b"\0"

    def close(self) -> None:
        pass


class TestFailure:
    image = an_image([bytes([each]) * 1_000_000 for each in range(6)], compressed=False)

    def copy(self, fail: Callable[[], None]) -> tuple[Failing, StoredImages]:
        source, target = Failing(self.image, fail, began=2), memory()
        copy(source, "one", target, "two", jobs=3)
        return source, target

    def test_the_first_failure_ends_the_rest_and_is_raised_as_it_was(self) -> None:
        failure = Unavailable("the line is dead", remedy="mend it")

        def fail() -> None:
            raise failure

        with pytest.raises(Unavailable) as caught:
            self.copy(fail)
        assert caught.value is failure
        assert not working()

    def test_what_waits_is_not_begun(self) -> None:
        def fail() -> None:
            raise Unavailable("the line is dead")

        source, target = Failing(self.image, fail, began=2), memory()
        with pytest.raises(Unavailable):
            copy(source, "one", target, "two", jobs=3)
        later = {each.digest for each in layers_of(self.image)[3:]}
        assert not later & set(source.opened)
        assert list(target.names()) == []

    def test_an_interrupt_ends_everything(self) -> None:
        main = threading.main_thread().ident
        assert main is not None
        forever = threading.Event()

        def interrupt() -> None:
            signal.pthread_kill(main, signal.SIGINT)
            forever.wait(0.05)

        source = Failing(self.image, interrupt, began=2)
        # The layer that interrupts goes on as if nothing had happened; the others never end.
        with pytest.raises(KeyboardInterrupt):
            copy(source, "one", memory(), "two", jobs=3)
        assert not working()

    def test_an_error_says_that_the_source_failed(self) -> None:
        image = an_image()
        with pytest.raises(BlobNotFound) as caught:
            copy(Shelf(image, without={layers_of(image)[0].digest: 0}), "one", memory(), "two")
        assert caught.value.__notes__ == [SOURCE]

    def test_an_error_says_that_the_destination_failed(self) -> None:
        class Full(Recording):
            def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
                raise Unavailable("no space left")

        with pytest.raises(Unavailable) as caught:
            copy(Shelf(an_image()), "one", Full(), "two")
        assert caught.value.__notes__ == [DESTINATION]

    def test_a_failure_while_reading_is_the_sources_though_the_target_reads(self) -> None:
        class Broken(Shelf):
            def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
                if descriptor in layers_of(an_image()):
                    return BreaksOff()  # type: ignore[return-value]
                return super().stream(descriptor, offset)

        class BreaksOff(Endless):
            def __init__(self) -> None:
                pass

            def read(self, size: int = -1) -> bytes:
                raise Unavailable("connection lost")

        with pytest.raises(Unavailable) as caught:
            copy(Broken(an_image()), "one", memory(), "two")
        assert caught.value.__notes__ == [SOURCE]


def working() -> list[threading.Thread]:
    """Return the threads of crews that are still there."""
    return [each for each in threading.enumerate() if each.name == "nacre-copy"]


def _bytes(data: bytes) -> BinaryIO:
    import io

    return io.BytesIO(data)


# -- descriptors that contradict each other


def listing_twice(data: bytes, **changes: object) -> Made:
    """Return an image that lists a layer twice, the second time with other properties."""
    image = an_image([data, data], compressed=False)
    config, layer = manifest_of(image).config, layers_of(image)[0]
    again = Descriptor.from_json({**layer.to_json(), **changes}, "layer")
    return of_manifest(make_manifest(config, [layer, again]), image)


def of_manifest(manifest: Manifest, image: Made) -> Made:
    return Made(manifest.descriptor, {**image.blobs, manifest.descriptor.digest: manifest.raw})


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


def test_referrers_without_end_are_left() -> None:
    class Inventing(Shelf):
        """Makes up, for whatever is asked about, one more that refers to it."""

        def referrers(self, digest: Digest, artifact_type: str = "") -> Index:
            about = Descriptor(mediatypes.OCI_MANIFEST, digest, 100)
            made = a_referrer(about)
            self.blobs |= made.blobs
            return make_index([made.root])

    with pytest.raises(InvalidManifest, match="more than 1000 manifests refer"):
        copy(Inventing(an_image()), "one", memory(), "two", referrers=True)
