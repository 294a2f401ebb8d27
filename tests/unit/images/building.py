"""Images made of next to nothing, in memory."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nacre.content.memory import MemoryBlobs
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import make_index, make_manifest
from nacre.oci.platform import Platform
from nacre.oci.strictjson import encode

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


def a_tar(**files: bytes) -> bytes:
    """Return a tar with these files; the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@dataclass(frozen=True)
class Layer:
    """A layer as it lies and as a tar."""

    descriptor: Descriptor
    data: bytes
    tar: bytes

    @property
    def diff_id(self) -> Digest:
        """The digest of the tar."""
        return Digest.of(self.tar)


def a_layer(tar: bytes) -> Layer:
    """Return a gzip layer of a tar."""
    data = gzip.compress(tar, mtime=0)
    return Layer(Descriptor.of(mediatypes.OCI_LAYER_GZIP, data), data, tar)


def a_plain_layer(tar: bytes) -> Layer:
    """Return a layer that is the tar itself."""
    return Layer(Descriptor.of(mediatypes.OCI_LAYER_TAR, tar), tar, tar)


BASE, TOP = a_layer(a_tar(base=b"b" * 1000)), a_layer(a_tar(top=b"t" * 2000))


@dataclass
class Builder:
    """Puts content into a store in memory."""

    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)

    def add(self, media_type: str, data: bytes) -> Descriptor:
        """Add a blob."""
        descriptor = Descriptor.of(media_type, data)
        if not self.blobs.exists(descriptor):
            with self.blobs.ingest(descriptor) as ingest:
                ingest.write(data)
                ingest.commit(media_type)
        return descriptor

    def image(
        self,
        layers: Sequence[Layer] = (BASE, TOP),
        *,
        platform: Platform = AMD64,
        **fields: Any,
    ) -> Descriptor:
        """Add an image and return its manifest's descriptor; ``fields`` go into the config."""
        for layer in layers:
            self.add(layer.descriptor.media_type, layer.data)
        config = {
            "architecture": platform.architecture,
            "os": platform.os,
            "created": "2026-01-02T03:04:05Z",
            "config": {"Cmd": ["sh"]},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            **fields,
        }
        stored = self.add(mediatypes.OCI_CONFIG, encode(config))
        manifest = make_manifest(stored, [layer.descriptor for layer in layers])
        return self.add(manifest.media_type, manifest.raw)

    def artifact(self, **annotations: str) -> Descriptor:
        """Add an artifact with one blob."""
        config = self.add(mediatypes.OCI_EMPTY, b"{}")
        blob = self.add("text/x-note", b"hello")
        manifest = make_manifest(config, [blob], annotations=annotations)
        return self.add(manifest.media_type, manifest.raw)

    def index(self, *children: Descriptor) -> Descriptor:
        """Add an index."""
        index = make_index(children)
        return self.add(index.media_type, index.raw)
