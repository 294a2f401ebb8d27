"""Small content, made in one line and the same each time.

>>> from nacre.content.memory import MemoryBlobs
>>> blobs = MemoryBlobs()
>>> image = an_image([a_layer({"etc/motd": b"hello"})])
>>> blobs.exists(image.into(blobs))
True
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nacre.content.store import BlobWriter
from nacre.errors import AlreadyExists
from nacre.oci import mediatypes
from nacre.oci.config import make_config
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import make_index, make_manifest
from nacre.oci.platform import Platform

LINUX = Platform("linux", "amd64")
_CREATED = "2024-02-29T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Content:
    """A manifest or an index and all that it refers to."""

    root: Descriptor
    blobs: Mapping[Digest, bytes]
    """Every blob, what is referred to before what refers to it."""

    def into(self, writer: BlobWriter) -> Descriptor:
        """Write what is not there yet and return the root's descriptor."""
        for digest, data in self.blobs.items():
            put(writer, Descriptor("application/octet-stream", digest, len(data)), data)
        return self.root


def put(writer: BlobWriter, descriptor: Descriptor, data: bytes) -> None:
    """Write one blob, unless it is there."""
    try:
        with writer.ingest(descriptor) as ingest:
            ingest.write(data[ingest.offset :])
            ingest.commit(descriptor.media_type)
    except AlreadyExists:
        return


def a_layer(files: Mapping[str, bytes | str | None]) -> bytes:
    """Return a tar: of each path its bytes, the target of a symbolic link, or None for a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            if content is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(content, str):
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, content, 0o777
            else:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return buffer.getvalue()


def an_image(
    layers: Sequence[bytes] | None = None,
    *,
    platform: Platform = LINUX,
    config: Mapping[str, Any] | None = None,
    docker: bool = False,
    compressed: bool = True,
) -> Content:
    """Return an image of these tars, base first; by default of one with one small file.

    Args:
        layers: see ``a_layer``.
        platform: what the config and the descriptor of the root say.
        config: fields of the config beside platform, history and diff_ids, or in their place.
        docker: with Docker's media types instead of OCI's.
        compressed: whether the layers are gzipped.
    """
    tars = [a_layer({"hello.txt": b"hello\n"})] if layers is None else layers
    manifest_type, config_type = (
        (mediatypes.DOCKER_MANIFEST, mediatypes.DOCKER_CONFIG)
        if docker
        else (mediatypes.OCI_MANIFEST, mediatypes.OCI_CONFIG)
    )
    layer_type = mediatypes.DOCKER_LAYER_TAR if docker else mediatypes.OCI_LAYER_TAR
    blobs: dict[Digest, bytes] = {}
    descriptors = []
    for tar in tars:
        data = gzip.compress(tar, mtime=0) if compressed else tar
        media_type = mediatypes.compressed(layer_type) if compressed else layer_type
        descriptors.append(_add(blobs, media_type, data))
    raw = make_config({**_config_fields(tars, platform), **(config or {})}).raw
    manifest = make_manifest(_add(blobs, config_type, raw), descriptors, media_type=manifest_type)
    return Content(_add(blobs, manifest_type, manifest.raw).on(platform), blobs)


def an_index(images: Iterable[Content], *, docker: bool = False) -> Content:
    """Return an index that lists these images, in order."""
    children = list(images)
    media_type = mediatypes.DOCKER_LIST if docker else mediatypes.OCI_INDEX
    blobs = {digest: data for child in children for digest, data in child.blobs.items()}
    index = make_index((child.root for child in children), media_type=media_type)
    return Content(_add(blobs, media_type, index.raw), blobs)


def _add(blobs: dict[Digest, bytes], media_type: str, data: bytes) -> Descriptor:
    descriptor = Descriptor.of(media_type, data)
    blobs[descriptor.digest] = data
    return descriptor


def _config_fields(tars: Sequence[bytes], platform: Platform) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "created": _CREATED,
        "architecture": platform.architecture,
        "os": platform.os,
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [Digest.of(tar) for tar in tars]},
        "history": [
            {"created": _CREATED, "created_by": f"layer {position}"}
            for position in range(len(tars))
        ],
    }
    if platform.variant:
        fields["variant"] = platform.variant
    return fields
