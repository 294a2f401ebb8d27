"""`copy`: what moves, in which order, and what is told."""

from __future__ import annotations

from nacre.content.target import Content, OnBytes, Placed
from nacre.oci.descriptor import Descriptor
from nacre.testing.builders import an_image, an_index
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy, copy_many
from nacre.transports.events import (
    Event,
    Existed,
    Mounted,
    Progress,
    Queued,
    Stored,
    Tagged,
)
from tests.unit.transports.copies import (
    AMD64,
    ARM64,
    InOrder,
    Naming,
    Recording,
    copied,
    for_platform,
    layers_of,
    manifest_of,
    memory,
)


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
