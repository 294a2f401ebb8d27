"""Manifests and indexes: views over raw bytes, which stay the truth.

OCI image-spec "Image Manifest" and "Image Index"; Docker image manifest v2 schema 2 and its list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nacre.errors import Invalid, Unsupported
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor, check_annotations
from nacre.oci.digest import Digest
from nacre.oci.quoting import quoted
from nacre.oci.strictjson import check_keys, encode, parse_object
from nacre.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+json"
_SCHEMA_1_FAMILY = "application/vnd.docker.distribution.manifest.v1"
_KEYS = (
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    "fsLayers",
)
_CHILDREN_LIMIT = 10_000


class InvalidManifest(Invalid):
    """The bytes are no manifest, or mean different things to different readers."""

    usual_remedy = "have whoever made the image make it again"


class _Document(Value):
    """What manifests and indexes have in common."""

    raw: bytes
    media_type: str
    fields: Mapping[str, Any]

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of the raw bytes (sha256)."""
        return Descriptor.of(self.media_type, self.raw)

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations, empty when there are none."""
        found: Mapping[str, str] = self.fields.get("annotations") or {}
        return found

    @property
    def subject(self) -> Descriptor | None:
        """The manifest that this one says something about, for referrers."""
        subject = self.fields.get("subject")
        return Descriptor.from_json(subject, "subject") if subject is not None else None


class Manifest(_Document):
    """An image or artifact manifest: one config and an ordered list of layers, base first."""

    @property
    def config(self) -> Descriptor:
        """The descriptor of the config."""
        return Descriptor.from_json(self.fields.get("config"), "config")

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """The descriptors of the layers, base first."""
        return tuple(
            Descriptor.from_json(layer, f"layer {position}")
            for position, layer in enumerate(self.fields["layers"] or ())
        )

    @property
    def artifact_type(self) -> str:
        """The artifact type: the manifest's own, else its config's media type."""
        stated: str = self.fields.get("artifactType") or self.config.media_type
        return stated

    @property
    def is_image(self) -> bool:
        """Say whether this describes a root file system rather than any other artifact."""
        return self.config.media_type in mediatypes.IMAGE_CONFIGS


class Index(_Document):
    """An index: manifests for several platforms, or a list of artifacts."""

    @property
    def manifests(self) -> tuple[Descriptor, ...]:
        """The descriptors of the listed manifests, in order."""
        return tuple(
            Descriptor.from_json(child, f"manifest {position}")
            for position, child in enumerate(self.fields["manifests"] or ())
        )

    @property
    def artifact_type(self) -> str:
        """The artifact type, or ""."""
        stated: str = self.fields.get("artifactType") or ""
        return stated


def parse(raw: bytes, media_type: str) -> Manifest | Index:
    """Read an index or a manifest whose media type is known from its descriptor or reply.

    Raises:
        InvalidManifest: it is over 4 MiB, not strict JSON, of another media type than said,
            has both ``layers`` and ``manifests``, or lacks what its kind requires. (A list
            that is ``null`` is an empty one, as tools written in Go put it.)
        Unsupported: it is Docker's schema 1, which no registry should serve any more.
    """
    try:
        fields = parse_object(raw, "manifest")
        _check_version(fields, media_type)
        _check_kind(fields, media_type)
        check_annotations(fields.get("annotations"), "manifest")
        document: Manifest | Index
        if mediatypes.is_index(media_type):
            document = Index(raw, media_type, fields)
            _ = document.manifests
        else:
            document = Manifest(raw, media_type, fields)
            _ = document.config, document.layers
        _ = document.subject
    except InvalidManifest:
        raise
    except Invalid as error:
        raise InvalidManifest(str(error)) from None
    return document


def media_type_of(raw: bytes) -> str:
    """Return the media type that a manifest of unknown origin states or, lacking that, implies.

    Raises:
        InvalidManifest: it is neither a manifest nor an index.
    """
    try:
        fields = parse_object(raw, "manifest")
    except Invalid as error:
        raise InvalidManifest(str(error)) from None
    stated = fields.get("mediaType")
    if isinstance(stated, str) and stated:
        return stated
    if fields.get("schemaVersion") == 1:
        return _SCHEMA_1
    if "manifests" in fields:
        return mediatypes.OCI_INDEX
    if "layers" in fields or "config" in fields:
        return mediatypes.OCI_MANIFEST
    raise InvalidManifest("manifest states no mediaType and has neither layers nor manifests")


def make_manifest(
    config: Descriptor,
    layers: Iterable[Descriptor],
    *,
    media_type: str = mediatypes.OCI_MANIFEST,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """Return a new image manifest."""
    fields: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    if annotations:
        fields["annotations"] = dict(annotations)
    return Manifest(encode(fields), media_type, fields)


def make_index(
    manifests: Iterable[Descriptor],
    *,
    media_type: str = mediatypes.OCI_INDEX,
    annotations: Mapping[str, str] | None = None,
) -> Index:
    """Return a new index."""
    fields: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [child.to_json() for child in manifests],
    }
    if annotations:
        fields["annotations"] = dict(annotations)
    return Index(encode(fields), media_type, fields)


def with_layers(manifest: Manifest, layers: Iterable[Descriptor]) -> Manifest:
    """Return the manifest with its layers replaced, everything else kept."""
    fields = {**manifest.fields, "layers": [layer.to_json() for layer in layers]}
    return Manifest(encode(fields), manifest.media_type, fields)


def with_manifests(index: Index, manifests: Iterable[Descriptor]) -> Index:
    """Return the index with its list replaced, everything else kept."""
    fields = {**index.fields, "manifests": [child.to_json() for child in manifests]}
    return Index(encode(fields), index.media_type, fields)


def checked_digest(raw: bytes, expected: Digest, what: str) -> bytes:
    """Return ``raw`` when it hashes to ``expected``.

    Raises:
        InvalidManifest: it does not.
    """
    actual = Digest.of(raw, expected.algorithm)
    if actual != expected:
        raise InvalidManifest(f"{what} has digest {actual}, not {expected} as promised")
    return raw


def _check_version(fields: Mapping[str, Any], media_type: str) -> None:
    version = fields.get("schemaVersion")
    version = version if type(version) is int else None  # neither 2.0 nor true
    if media_type.startswith(_SCHEMA_1_FAMILY) or version == 1:
        raise Unsupported(
            "manifest is of Docker's schema 1, which is no longer supported",
            remedy="push the image again with a current tool",
        )
    if version != 2:
        raise InvalidManifest("manifest has no schemaVersion 2")


def _check_kind(fields: Mapping[str, Any], media_type: str) -> None:
    if not mediatypes.is_manifest(media_type):
        raise InvalidManifest(f"{quoted(media_type)} is not the media type of a manifest")
    stated = fields.get("mediaType")
    if stated is not None and stated != media_type:
        raise InvalidManifest(
            f"manifest says it is {quoted(stated)} but was served as {quoted(media_type)}"
        )
    check_keys(fields, _KEYS, "manifest")
    if "manifests" in fields and ("layers" in fields or "config" in fields):
        raise InvalidManifest("manifest has both layers and manifests, so its meaning is unclear")
    if "fsLayers" in fields:
        raise InvalidManifest("manifest has fsLayers, which belong to schema 1")
    key = "manifests" if mediatypes.is_index(media_type) else "layers"
    if key not in fields or not isinstance(fields[key], list | None):
        raise InvalidManifest(f"manifest of type {media_type} lacks its list of {key}")
    if len(fields[key] or ()) > _CHILDREN_LIMIT:
        raise InvalidManifest(f"manifest lists more than {_CHILDREN_LIMIT} descriptors")
    if not isinstance(fields.get("artifactType"), str | None):
        raise InvalidManifest("manifest has an artifactType that is no text")
