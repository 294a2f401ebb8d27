"""Images to copy, and targets that note what they are asked."""

from __future__ import annotations

from nacre.content.memory import MemoryBlobs, MemoryRefs
from nacre.content.target import Content, OnBytes, Placed
from nacre.oci import manifest as manifests
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest, make_manifest
from nacre.oci.platform import Platform
from nacre.testing.builders import Content as Made
from nacre.testing.builders import a_layer, an_image
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.stored import StoredImages

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


def of_manifest(manifest: Manifest, image: Made) -> Made:
    return Made(manifest.descriptor, {**image.blobs, manifest.descriptor.digest: manifest.raw})
