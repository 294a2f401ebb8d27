"""Small images that the compatibility tests share, and what the tests ask of any image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nacre.content.documents import read_document
from nacre.layers.compression import Compression, compressor
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest, make_manifest
from nacre.oci.platform import Platform
from nacre.testing.builders import Content, a_layer, an_image
from nacre.testing.targets import Shelf
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool


def image_id(image: Content) -> Digest:
    """Return the digest of an image's config."""
    document = read_document(Shelf(image), image.root)
    assert isinstance(document, Manifest)
    return document.config.digest


TREE = a_layer({"etc": None, "etc/motd": b"hello\n", "etc/link": "motd"})
DATA = a_layer({"data": b"x" * 300_000})


def _mixed() -> Content:
    """Return an image with a plain, a gzipped and a zstd layer."""
    tars = {
        Compression.NONE: TREE,
        Compression.GZIP: DATA,
        Compression.ZSTD: a_layer({"etc/issue": b"nacre\n"}),
    }
    types = (mediatypes.OCI_LAYER_TAR, mediatypes.OCI_LAYER_GZIP, mediatypes.OCI_LAYER_ZSTD)
    packed = [_packed(tar, compression) for compression, tar in tars.items()]
    layers = [Descriptor.of(kind, data) for kind, data in zip(types, packed, strict=True)]
    plain = an_image([*tars.values()], compressed=False)
    raw = plain.blobs[image_id(plain)]
    config = Descriptor.of(mediatypes.OCI_CONFIG, raw)
    manifest = make_manifest(config, layers)
    blobs = {Digest.of(data): data for data in (*packed, raw, manifest.raw)}
    return Content(manifest.descriptor, blobs)


def _packed(data: bytes, compression: Compression) -> bytes:
    with compressor(compression) as packer:
        return packer.feed(data) + packer.finish()


GZIP = an_image([TREE, DATA, a_layer({"etc/issue": b"nacre\n"})])
PLAIN = an_image([TREE, DATA], compressed=False)
MIXED = _mixed()
DOCKER = an_image([TREE, DATA], docker=True)
ARM = an_image([TREE], platform=Platform("linux", "arm64"))
EMPTY_STEPS = an_image(
    [TREE, DATA],
    config={
        "author": "ana",
        "history": [
            {"created": "2024-02-29T12:00:00Z", "created_by": "ADD tree /", "comment": "first"},
            {"created": "2024-02-29T12:00:01Z", "created_by": "ENV A=1", "empty_layer": True},
            {"created": "2024-02-29T12:00:02Z", "created_by": "COPY data\t/data"},
        ],
    },
)


def inspected(tool: Tool | NacreCli, name: str) -> dict[str, Any]:
    """Return what ``image inspect`` shows of one image."""
    [document] = json.loads(tool("image", "inspect", name))
    assert isinstance(document, dict)
    return document


def filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are not empty, as Docker's API leaves those out since 1.52."""
    return {key: each for key, each in fields.items() if each not in (None, "", [], {}, False)}


def skopeo_copy(skopeo: Tool, source: str, destination: str, *options: str) -> None:
    """Copy by skopeo, without signatures and without TLS on loopback."""
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    skopeo("--insecure-policy", "copy", "--quiet", *plain, *options, source, destination)


def raw_manifest(skopeo: Tool, where: str) -> bytes:
    """Return a manifest or an index as skopeo reads it, byte for byte."""
    return skopeo("inspect", "--tls-verify=false", "--raw", where).encode()


def digest_of(skopeo: Tool, where: str) -> Digest:
    """Return the digest that skopeo computes of a manifest or an index."""
    return Digest.of(raw_manifest(skopeo, where))
