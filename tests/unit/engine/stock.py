"""An engine with a store of its own, and ways to put images into it."""

from __future__ import annotations

import io
from pathlib import Path

from nacre.content.target import ignore_bytes
from nacre.engine.engine import Engine
from nacre.engine.parts import Parts
from nacre.engine.settings import Settings
from nacre.oci.descriptor import Descriptor
from nacre.oci.platform import Platform
from nacre.testing.builders import LINUX, Content, a_layer, an_image

ARM = Platform("linux", "arm64")


class Stock:
    """An engine for linux/amd64, whatever this machine is, that leaves layers packed."""

    def __init__(self, root: Path) -> None:
        # Unpacking is the storage drivers' part, and theirs are the tests of it.
        settings = Settings(root=root, platform=LINUX, environment={}, keep="compressed")
        self.engine = Engine(settings=settings)
        self.images = self.engine.images
        self.parts = Parts(settings)
        self.store = self.parts.store

    def close(self) -> None:
        """Close all."""
        self.engine.close()
        self.parts.close()

    def keep(self, content: Content, *names: str) -> Descriptor:
        """Put an image into the store, under names in full, and return its root."""
        with self.store.writing() as local:
            for digest, data in content.blobs.items():
                part = Descriptor(_type_of(content, digest), digest, len(data))
                local.put(part, lambda at, data=data: io.BytesIO(data[at:]), ignore_bytes)  # type: ignore[misc]
            local.add(content.root.bare(), [full(name) for name in names])
        return content.root.bare()

    def tags(self) -> dict[str, str]:
        """Return which image each tag of this machine means."""
        return {tag: image.id for image in self.images.list() for tag in image.tags}

    def blobs(self) -> set[str]:
        """Return the digests of all blobs on disk."""
        return set(self.store.blobs)


def full(name: str) -> str:
    """Return a name in full, with its tag."""
    from nacre.oci import reference as references

    return str(references.parse_tagged(name))


def image_of(text: str, **options: object) -> Content:
    """Return a small image that differs from others by a text."""
    return an_image([a_layer({"text": text.encode()})], **options)  # type: ignore[arg-type]


def id_of(content: Content) -> str:
    """Return the image ID of an image."""
    import json

    digest: str = json.loads(content.blobs[content.root.digest])["config"]["digest"]
    return digest


def _type_of(content: Content, digest: str) -> str:
    """Return the media type by which a blob is referred to."""
    import json

    if digest == content.root.digest:
        return content.root.media_type
    for data in content.blobs.values():
        if data[:1] != b"{":
            continue
        fields = json.loads(data)
        listed = [fields.get("config"), *fields.get("layers", []), *fields.get("manifests", [])]
        for each in listed:
            if each and each.get("digest") == digest:
                found: str = each["mediaType"]
                return found
    raise AssertionError(digest)
