"""The images, indexes and artifacts that are pushed, listed, pulled and deleted in turn.

They are odd on purpose: a registry has no business with what is in them. Configs name layers by
digests that nobody has, children share tags and subjects with their index, and some name content
that is never pushed.
"""

from __future__ import annotations

import gzip
import io
import os
import secrets
import tarfile
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode

Json = dict[str, Any]

EMPTY = "application/vnd.oci.empty.v1+json"
OCTETS = "application/octet-stream"
EXAMPLE_1 = "application/vnd.example.oci.conformance.v1"
EXAMPLE_2 = "application/vnd.example.oci.conformance.v2"
LAYER = "application/vnd.oci.image.layer.v1.tar"
FOREIGN_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar"
AMD: Json = {"architecture": "amd64", "os": "linux"}
ARM: Json = {"architecture": "arm64", "os": "linux"}
HELLO = {"org.opencontainers.conformance": "hello conformance test"}


@dataclass(slots=True)
class DataSet:
    """What belongs together.

    Attributes:
        name: of the set.
        blobs: content by digest.
        manifests: content by digest, in the order of pushing.
        tags: digests by tag.
        referrers: what a list of referrers must hold, by subject.
        tags_in_query: push manifests with all their tags at once.
        is_broken: the manifests have other digests than they are pushed by.
    """

    name: str
    blobs: dict[Digest, bytes] = field(default_factory=dict)
    manifests: dict[Digest, bytes] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)
    referrers: dict[str, list[Json]] = field(default_factory=dict)
    tags_in_query: bool = False
    is_broken: bool = False

    def add(self, content: bytes, media_type: str, *, algorithm: str, embeds: bool) -> Json:
        """Add a blob and return its descriptor."""
        digest = Digest.of(content, algorithm)
        self.blobs[digest] = content
        return _descriptor(media_type, digest, content, embeds=embeds)


@dataclass(frozen=True, slots=True)
class Shape:
    """How the documents of a set look.

    Attributes:
        tag: for each that is made; the last one keeps it.
        algorithm: of all digests.
        layers: how many.
        compressed: whether layers are.
        artifact_type: stated by manifests; "" states none.
        layer_type: of an artifact's layers; "" makes layers of an image.
        layer: their content; None makes some up.
        embeds: whether descriptors hold the content.
        unknown: whether documents have a field that no specification knows.
        annotations: of manifests; a unique one is added to any.
        subject: of manifests.
    """

    tag: str = ""
    algorithm: str = "sha256"
    layers: int = 2
    compressed: bool = True
    artifact_type: str = ""
    layer_type: str = ""
    layer: bytes | None = None
    embeds: bool = False
    unknown: bool = False
    annotations: Json = field(default_factory=dict)
    subject: Json | None = None


IMAGE = Shape()
ARTIFACT = Shape(artifact_type=EXAMPLE_1, layers=1, layer_type=EXAMPLE_1)
ANNOTATED = replace(ARTIFACT, annotations=HELLO)


def image(data: DataSet, shape: Shape, platform: Json = AMD) -> Json:
    """Add an image or artifact with all its parts, and return its descriptor."""
    layers = [_layer(data, shape) for _ in range(shape.layers)]
    if shape.layer_type:
        content, media_type = b"{}", EMPTY
    else:
        nobody_has = [str(Digest.of(b"", shape.algorithm))] * shape.layers
        content, media_type = _config(platform, nobody_has, shape), mediatypes.OCI_CONFIG
    config = data.add(content, media_type, algorithm=shape.algorithm, embeds=shape.embeds)
    return image_of(data, shape, config, layers)


def image_of(data: DataSet, shape: Shape, config: Json, layers: Sequence[Json]) -> Json:
    """Add the manifest of an image whose parts are there, and return its descriptor."""
    parts = {"config": config, "layers": list(layers)}
    stated = shape.artifact_type or config["mediaType"]
    return _manifest(data, shape, mediatypes.OCI_MANIFEST, parts, referrer_type=stated)


def index(data: DataSet, shape: Shape, platforms: Sequence[Json] = (AMD, ARM)) -> Json:
    """Add an index with an image for each platform, and return its descriptor."""
    children = [{**image(data, shape, each), "platform": each} for each in platforms]
    return index_of(data, shape, children)


def index_of(data: DataSet, shape: Shape, children: Sequence[Json]) -> Json:
    """Add an index whose children are there, and return its descriptor."""
    parts = {"manifests": list(children)}
    return _manifest(data, shape, mediatypes.OCI_INDEX, parts, referrer_type=shape.artifact_type)


def all_sets() -> list[DataSet]:
    """Make all sets anew, with content that was never there before."""
    made = []
    for fill in _SETS:
        data = DataSet(fill.__name__.removeprefix("_").replace("_", "-"))
        fill(data)
        made.append(data)
    return made


def _manifest(
    data: DataSet, shape: Shape, media_type: str, parts: Json, *, referrer_type: str
) -> Json:
    document: Json = {"schemaVersion": 2, "mediaType": media_type}
    if shape.artifact_type:
        document["artifactType"] = shape.artifact_type
    document |= parts
    if shape.subject:
        document["subject"] = shape.subject
    if shape.annotations:
        unique = {f"org.example.{secrets.token_hex(8)}": secrets.token_hex(8)}
        document["annotations"] = shape.annotations | unique
    raw = _encoded(document, shape)
    digest = Digest.of(raw, shape.algorithm)
    data.manifests[digest] = raw
    if shape.tag:
        data.tags[shape.tag] = digest
    made = _descriptor(media_type, digest, raw, embeds=shape.embeds)
    if shape.subject:
        stated = {"artifactType": referrer_type} if referrer_type else {}
        listed = {**made, **stated, "annotations": document.get("annotations", {})}
        data.referrers.setdefault(shape.subject["digest"], []).append(listed)
    return made


def _descriptor(media_type: str, digest: Digest, content: bytes, *, embeds: bool) -> Json:
    made: Json = {"mediaType": media_type, "digest": str(digest), "size": len(content)}
    if embeds:
        made["data"] = b64encode(content).decode()
    return made


def _encoded(document: Json, shape: Shape) -> bytes:
    unknown = {f"org.{secrets.token_hex(8)}": secrets.token_hex(8)} if shape.unknown else {}
    return encode(document | unknown)


def _config(platform: Json, layers: Sequence[str], shape: Shape) -> bytes:
    rootfs = {"type": "layers", "diff_ids": list(layers)}
    return _encoded({"author": "conformance", **platform, "config": {}, "rootfs": rootfs}, shape)


def _layer(data: DataSet, shape: Shape) -> Json:
    if shape.layer_type:
        content = os.urandom(2048) if shape.layer is None else shape.layer
        media_type = shape.layer_type
    else:
        content = gzip.compress(_tar()) if shape.compressed else _tar()
        media_type = LAYER + "+gzip" * shape.compressed
    return data.add(content, media_type, algorithm=shape.algorithm, embeds=shape.embeds)


def _tar() -> bytes:
    content = f"a number: {secrets.token_hex(8)}\n".encode()
    member = tarfile.TarInfo("./conformance.txt")
    member.size = len(content)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _image(data: DataSet) -> None:
    image(data, replace(IMAGE, tag="image"))


def _image_uncompressed(data: DataSet) -> None:
    image(data, replace(IMAGE, tag="image-uncompressed", compressed=False))


def _large_manifest(data: DataSet) -> None:
    many = {f"large-annotation-{number}": "A" * 10_000 for number in range(390)}
    image(data, replace(IMAGE, tag="large-manifest", annotations=many))


def _index(data: DataSet) -> None:
    index(data, replace(IMAGE, tag="index"))


def _nested_index(data: DataSet) -> None:
    children = [index(data, IMAGE), index(data, IMAGE)]
    index_of(data, replace(IMAGE, tag="index-of-index"), children)


def _empty_index(data: DataSet) -> None:
    index(data, replace(IMAGE, tag="index"), [])


def _artifact(data: DataSet) -> None:
    image(data, replace(ARTIFACT, tag="artifact"))


def _artifact_index(data: DataSet) -> None:
    index(data, replace(ARTIFACT, tag="artifact-index"))


def _artifact_without_layers(data: DataSet) -> None:
    image(data, replace(ARTIFACT, tag="artifact-without-layers", layer=b"{}", layer_type=EMPTY))


def _artifacts_with_subject(data: DataSet) -> None:
    subject = image(data, replace(IMAGE, tag="image"))
    image(data, replace(IMAGE, subject=subject))
    image(data, replace(ANNOTATED, subject=subject, tag="tagged-artifact1"))
    other = replace(ANNOTATED, artifact_type=EXAMPLE_2, layer_type=OCTETS)
    image(data, replace(other, subject=subject, tag="tagged-artifact2"))


def _index_with_subject(data: DataSet) -> None:
    subject = index(data, replace(IMAGE, tag="index"))
    index(data, replace(ANNOTATED, subject=subject, tag="tagged-artifact"))


def _missing_subject(data: DataSet) -> None:
    digest = str(Digest.of(os.urandom(8)))
    subject = {"mediaType": mediatypes.OCI_MANIFEST, "digest": digest, "size": 123}
    image(data, replace(ANNOTATED, subject=subject, tag="tagged-artifact"))


def _data_field(data: DataSet) -> None:
    image(data, replace(IMAGE, tag="data-field", embeds=True))


def _non_distributable_layers(data: DataSet) -> None:
    layers: list[Json] = []
    for media_type in (FOREIGN_LAYER + "+gzip", FOREIGN_LAYER):
        digest = Digest.of(os.urandom(8))
        urls = [f"https://store.example.com/blobs/sha256/{digest.encoded}"]
        layers.append({"mediaType": media_type, "digest": digest, "size": 12345, "urls": urls})
    layers.append(_layer(data, IMAGE))
    content = _config(AMD, [layer["digest"] for layer in layers], IMAGE)
    config = data.add(content, mediatypes.OCI_CONFIG, algorithm="sha256", embeds=False)
    image_of(data, replace(IMAGE, tag="non-distributable-image"), config, layers)


def _custom_fields(data: DataSet) -> None:
    index(data, replace(IMAGE, tag="custom-fields", unknown=True))


def _no_layers(data: DataSet) -> None:
    image(data, replace(IMAGE, tag="no-layers", layers=0))


def _sparse(data: DataSet) -> None:
    image(data, replace(IMAGE, tag="sparse-image"))
    del data.blobs[next(iter(data.blobs))]
    absent = {
        "mediaType": mediatypes.OCI_MANIFEST,
        "digest": str(Digest.of(os.urandom(8))),
        "size": 1024,
    }
    children = [{**image(data, IMAGE), "platform": AMD}, {**absent, "platform": ARM}]
    index_of(data, replace(IMAGE, tag="sparse-index"), children)


def _sha512(data: DataSet) -> None:
    index(data, replace(IMAGE, algorithm="sha512"))


def _tag_param_sha256(data: DataSet) -> None:
    _tagged_by_query(data, "sha256")


def _tag_param_sha512(data: DataSet) -> None:
    _tagged_by_query(data, "sha512")


def _tagged_by_query(data: DataSet, algorithm: str) -> None:
    tag = f"tag-param-{algorithm}"
    index(data, replace(IMAGE, tag=tag, algorithm=algorithm))
    data.tags |= {f"{tag}-{number}": digest for number, digest in enumerate(data.manifests)}
    data.tags_in_query = True


def _bad_digest_image(data: DataSet) -> None:
    image(data, IMAGE)
    data.manifests = {digest: raw + b"  " for digest, raw in data.manifests.items()}
    data.is_broken = True


_SETS: tuple[Callable[[DataSet], None], ...] = (
    _image,
    _image_uncompressed,
    _large_manifest,
    _index,
    _nested_index,
    _empty_index,
    _artifact,
    _artifact_index,
    _artifact_without_layers,
    _artifacts_with_subject,
    _index_with_subject,
    _missing_subject,
    _data_field,
    _non_distributable_layers,
    _custom_fields,
    _no_layers,
    _sparse,
    _sha512,
    _tag_param_sha256,
    _tag_param_sha512,
    _bad_digest_image,
)
