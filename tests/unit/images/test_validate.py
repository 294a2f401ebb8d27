"""Validate: every byte read once, every problem a value."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from typing import BinaryIO

import pytest

from nacre.content.memory import MemoryBlobs
from nacre.content.verify import verified
from nacre.images.validate import Memory, Problem, validate
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest, make_manifest
from nacre.oci.manifest import parse as parse_manifest
from tests.unit.images.building import (
    AMD64,
    ARM64,
    BASE,
    TOP,
    Builder,
    Layer,
    a_plain_layer,
    a_tar,
)


class Damaged:
    """A store of which some blobs are other bytes than they should be, and which counts reads."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self.opened: Counter[str] = Counter()
        self._blobs = blobs
        self._actual = MemoryBlobs()
        self._swapped: dict[str, Descriptor] = {}

    def swap(self, digest: Digest, data: bytes) -> None:
        """Let other bytes lie under a digest."""
        with self._actual.ingest() as ingest:
            ingest.write(data)
            self._swapped[digest] = ingest.commit("a/b")

    def open(self, descriptor: Descriptor) -> BinaryIO:
        self.opened[descriptor.digest] += 1
        return verified(self.stream(descriptor), descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        if descriptor.digest in self._swapped:
            return self._actual.stream(self._swapped[descriptor.digest], offset)
        return self._blobs.stream(descriptor, offset)

    def exists(self, descriptor: Descriptor) -> bool:
        return self._blobs.exists(descriptor)


@pytest.fixture
def reader(built: Builder) -> Damaged:
    return Damaged(built.blobs)


def config_of(built: Builder, root: Descriptor) -> Descriptor:
    document = parse_manifest(built.blobs.open(root).read(), root.media_type)
    assert isinstance(document, Manifest)
    return document.config


def found(reader: Damaged, root: Descriptor, *, complete: bool = False) -> list[str]:
    return [
        f"{problem.what}: {problem.reason}" for problem in validate(reader, root, complete=complete)
    ]


def test_a_sound_image(built: Builder, reader: Damaged) -> None:
    root = built.image()
    assert found(reader, root) == []
    assert set(reader.opened) == {
        *(root.digest, config_of(built, root).digest),
        *(BASE.descriptor.digest, TOP.descriptor.digest),
    }


def test_every_blob_is_read_once(built: Builder, reader: Damaged) -> None:
    one, two = built.image(), built.image(author="another")
    assert found(reader, built.index(one, two, one)) == []
    assert set(reader.opened.values()) == {1}


def test_memory_serves_several_images(built: Builder, reader: Damaged) -> None:
    memory: Memory = {}
    for root in (built.image(), built.image(author="another")):
        assert list(validate(reader, root, memory=memory)) == []
    assert reader.opened[BASE.descriptor.digest] == 1


def test_a_plain_layer_is_read_too(built: Builder, reader: Damaged) -> None:
    layer = a_plain_layer(a_tar(a=b"1"))
    root = built.image([layer])
    assert found(reader, root) == []
    reader.swap(layer.descriptor.digest, layer.data[:-1] + b"x")
    (problem,) = found(reader, root)
    assert "has digest" in problem


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-1], "ended after"),
        (lambda data: data + b"x", "is longer than"),
        (lambda data: data[:20] + b"\0" + data[21:], ""),
        (lambda _data: b"", "ended after 0 of"),
    ],
)
def test_a_damaged_blob_of_any_kind(
    built: Builder, change: Callable[[bytes], bytes], reason: str
) -> None:
    root = built.image()
    config = config_of(built, root)
    for what, descriptor in {
        "manifest": root,
        "config": config,
        "layer 1": TOP.descriptor,
    }.items():
        damaged = Damaged(built.blobs)
        damaged.swap(descriptor.digest, change(built.blobs.stream(descriptor).read()))
        (problem,) = validate(damaged, root)
        assert (problem.what, problem.descriptor) == (what, descriptor)
        assert reason in problem.reason
        assert str(problem).startswith(f"{what} {descriptor.digest}: ")


def test_every_problem_is_told(built: Builder, reader: Damaged) -> None:
    root = built.image()
    for layer in (BASE, TOP):
        built.blobs.delete(layer.descriptor.digest)
    built.blobs.delete(config_of(built, root).digest)
    assert found(reader, root) == [
        "config: is not here",
        "layer 0: is not here",
        "layer 1: is not here",
    ]


def test_the_root_is_not_here(reader: Damaged) -> None:
    root = Descriptor.of(mediatypes.OCI_MANIFEST, b"absent")
    assert list(validate(reader, root)) == [Problem(root, "manifest", "is not here")]


def test_layer_count_mismatch(built: Builder, reader: Damaged) -> None:
    root = built.image(rootfs={"type": "layers", "diff_ids": [BASE.diff_id]})
    assert found(reader, root) == ["config: manifest lists 2 layers but its config has 1 diff_ids"]


def test_a_layer_that_unpacks_to_something_else(built: Builder, reader: Damaged) -> None:
    diff_ids = [BASE.diff_id, BASE.diff_id]
    root = built.image(rootfs={"type": "layers", "diff_ids": diff_ids})
    assert found(reader, root) == [
        f"layer 1: unpacks to {TOP.diff_id}, not to {BASE.diff_id} as its config says"
    ]


def test_a_layer_that_does_not_unpack(built: Builder, reader: Damaged) -> None:
    data = gzip.compress(b"x" * 100, mtime=0)[:-4]
    layer = Layer(Descriptor.of(mediatypes.OCI_LAYER_GZIP, data), data, b"x" * 100)
    (problem,) = found(reader, built.image([layer]))
    assert problem.startswith(f"layer 0: layer {layer.descriptor.digest} cannot be unpacked")


def test_what_is_no_manifest(built: Builder, reader: Damaged) -> None:
    root = built.add(mediatypes.OCI_MANIFEST, b"[]")
    assert found(reader, root) == ["manifest: manifest is not a JSON object"]


def test_what_is_no_config(built: Builder, reader: Damaged) -> None:
    config = built.add(mediatypes.OCI_CONFIG, b"[]")
    manifest = make_manifest(config, [])
    assert found(reader, built.add(manifest.media_type, manifest.raw)) == [
        "config: image config is not a JSON object"
    ]


def test_a_sparse_index_is_sound(built: Builder, reader: Damaged) -> None:
    absent = Descriptor.of(mediatypes.OCI_MANIFEST, b"absent").on(ARM64)
    root = built.index(built.image().on(AMD64), absent)
    assert found(reader, root) == []
    assert found(reader, root, complete=True) == ["manifest 1: is not here"]


def test_an_index_may_list_what_is_no_manifest(built: Builder, reader: Damaged) -> None:
    note = built.add("text/x-note", b"hello")
    root = built.index(note)
    assert found(reader, root) == []
    reader.swap(note.digest, b"hallo")
    (problem,) = found(reader, root)
    assert problem.startswith("manifest 0: blob sha256:")


def test_layers_that_may_not_be_distributed_may_be_absent(built: Builder, reader: Damaged) -> None:
    foreign = Descriptor(mediatypes.DOCKER_FOREIGN_LAYER, Digest.of(b"far"), 3)
    config = config_of(built, built.image([BASE]))
    manifest = make_manifest(config, [foreign])
    root = built.add(manifest.media_type, manifest.raw)
    assert found(reader, root) == []
    assert found(reader, root, complete=True) == ["layer 0: is not here"]


def test_artifacts_are_read_but_not_unpacked(built: Builder, reader: Damaged) -> None:
    root = built.artifact()
    assert found(reader, root) == []
    assert len(reader.opened) == 3


def test_indexes_that_list_one_another_over_and_over_end(built: Builder, reader: Damaged) -> None:
    root = built.image()
    for _ in range(60):
        root = built.index(root, root)
    assert found(reader, root) == []
