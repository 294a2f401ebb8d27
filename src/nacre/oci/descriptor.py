"""Descriptors: media type, digest and size, how everything refers to bytes (image-spec)."""

from __future__ import annotations

from collections.abc import Mapping

from nacre.errors import Invalid
from nacre.oci import mediatypes
from nacre.oci.digest import Digest, InvalidDigest
from nacre.oci.platform import Platform, from_json
from nacre.oci.quoting import quoted
from nacre.oci.strictjson import InvalidJSON, check_keys
from nacre.value import Value, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NO_FIELDS: Mapping[str, Any] = {}
_KINDS: Mapping[str, type] = {
    "annotations": dict,
    "artifactType": str,
    "data": str,
    "platform": dict,
    "urls": list,
}
_PLATFORM_TEXTS = ("architecture", "os", "os.version", "variant")
_KEYS = ("mediaType", "digest", "size", *_KINDS)


class InvalidDescriptor(Invalid):
    """A descriptor lacks a required property or has one of the wrong kind."""


class Descriptor(Value):
    """A reference to ``size`` bytes that hash to ``digest`` and are of ``media_type``.

    ``fields`` is the JSON object it was read from, so properties nacre does not know survive;
    it takes no part in comparisons.
    """

    media_type: str
    digest: Digest
    size: int
    fields: Mapping[str, Any] = field(default=_NO_FIELDS, compare=False, repr=False)

    @classmethod
    def of(cls, media_type: str, data: bytes) -> Descriptor:
        """Return the descriptor of bytes at hand."""
        return cls(media_type, Digest.of(data), len(data))

    @classmethod
    def from_json(cls, value: object, where: str) -> Descriptor:
        """Read a descriptor; ``where`` names its place in errors.

        Raises:
            InvalidDescriptor: a required property is missing, any property that the
                specification defines is of the wrong kind, or the size is negative
                (image-spec PR 1285).
        """
        if not isinstance(value, dict):
            raise InvalidDescriptor(f"{where} is not a descriptor")
        media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
        if not isinstance(media_type, str) or not media_type:
            raise InvalidDescriptor(f"{where} has no mediaType")
        if not media_type.isascii() or not media_type.isprintable():
            raise InvalidDescriptor(f"{where} has the odd mediaType {quoted(media_type)}")
        if not isinstance(digest, str):
            raise InvalidDescriptor(f"{where} has no digest")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
            raise InvalidDescriptor(f"{where} has no valid size")
        _check_optional(value, where)
        try:
            return cls(media_type, Digest(digest), size, value)
        except InvalidDigest as error:
            raise InvalidDescriptor(f"{where}: {error}") from None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object: the one it was read from, or the three properties."""
        required = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        return {**required, **self.fields, **required}

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations, empty when there are none."""
        found: Mapping[str, str] = self.fields.get("annotations") or {}
        return found

    @property
    def platform(self) -> Platform | None:
        """The platform that an index states for this manifest."""
        stated = self.fields.get("platform")
        return from_json(stated) if stated else None

    @property
    def artifact_type(self) -> str:
        """The artifact type that an index states for this manifest, or ""."""
        found: str = self.fields.get("artifactType") or ""
        return found

    @property
    def is_index(self) -> bool:
        """Say whether this refers to an index or a manifest list."""
        return mediatypes.is_index(self.media_type)

    @property
    def is_manifest(self) -> bool:
        """Say whether this refers to an index or an image manifest."""
        return mediatypes.is_manifest(self.media_type)

    def bare(self) -> Descriptor:
        """Return the three required properties alone."""
        return Descriptor(self.media_type, self.digest, self.size)

    def annotated(self, **annotations: str) -> Descriptor:
        """Return a descriptor with these annotations added (names given as a ``**`` mapping)."""
        merged = {**self.annotations, **annotations}
        return replace(self, fields={**self.fields, "annotations": merged})

    def on(self, platform: Platform) -> Descriptor:
        """Return a descriptor that states a platform, as the entries of an index do."""
        stated = {"architecture": platform.architecture, "os": platform.os}
        if platform.variant:
            stated["variant"] = platform.variant
        if platform.os_version:
            stated["os.version"] = platform.os_version
        return replace(self, fields={**self.fields, "platform": stated})


def check_annotations(value: object, where: str) -> None:
    """Check that annotations, where there are any, are text by text (image-spec "Annotations").

    Raises:
        InvalidDescriptor: they are anything else.
    """
    if value is None:
        return
    if not isinstance(value, dict):
        raise InvalidDescriptor(f"{where} has annotations that are not an object")
    for name, annotation in value.items():
        if not isinstance(annotation, str):
            raise InvalidDescriptor(f"{where} has the annotation {quoted(name)} that is no text")


def _check_optional(value: Mapping[str, Any], where: str) -> None:
    try:
        check_keys(value, _KEYS, where)
    except InvalidJSON as error:
        raise InvalidDescriptor(str(error)) from None
    for key, kind in _KINDS.items():
        if not isinstance(value.get(key), kind | None):
            raise InvalidDescriptor(f"{where} has {key} of the wrong kind")
    check_annotations(value.get("annotations"), where)
    platform = value.get("platform") or {}
    for key in _PLATFORM_TEXTS:
        if not isinstance(platform.get(key), str | None):
            raise InvalidDescriptor(f"{where} has a platform whose {key} is no text")
    if not all(isinstance(url, str) for url in value.get("urls") or ()):
        raise InvalidDescriptor(f"{where} has urls that are no texts")
