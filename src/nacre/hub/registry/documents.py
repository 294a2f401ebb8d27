"""From the bytes that a client pushes to a manifest as it is recorded.

Everything that could make two readers understand one digest differently is refused here, before
anything is recorded (see `nacre.oci.strictjson`).
"""

from __future__ import annotations

import binascii
from base64 import b64decode

from nacre.errors import Invalid, Unsupported
from nacre.hub.errors import DigestInvalid, ManifestInvalid
from nacre.hub.registry.manifests import Manifest, Reference
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.graph import successors
from nacre.oci.manifest import Index, media_type_of, parse
from nacre.oci.manifest import Manifest as Image
from nacre.oci.strictjson import encode


def read(raw: bytes, media_type: str, expected: Digest | None = None) -> Manifest:
    """Return a manifest as pushed under the media type ``media_type``; "" lets it say itself.

    Its digest is ``expected`` when that is given, else by sha256.

    Raises:
        DigestInvalid: the bytes have another digest than expected.
        ManifestInvalid: they are no manifest of this media type, or one of Docker's schema 1.
    """
    digest = Digest.of(raw, expected.algorithm if expected else "sha256")
    if expected is not None and digest != expected:
        raise DigestInvalid(
            "provided digest did not match uploaded content",
            detail={"digest": expected, "received": digest},
        )
    try:
        document = parse(raw, media_type or media_type_of(raw))
        parts = successors(document)
        subject = document.subject
        for part in (*parts, *((subject,) if subject else ())):
            _check_data(part)
    except (Invalid, Unsupported) as error:
        raise ManifestInvalid(str(error), remedy=error.remedy) from None
    return Manifest(
        digest=digest,
        media_type=document.media_type,
        raw=raw,
        subject=subject.digest if subject else None,
        artifact_type=document.artifact_type,
        annotations=_annotations(document),
        config_digest=document.config.digest if isinstance(document, Image) else None,
        references=_references(parts, is_index=isinstance(document, Index)),
    )


def warnings(manifest: Manifest) -> tuple[str, ...]:
    """Return what its author should know: uses of what the specifications have deprecated."""
    if any(mediatypes.is_foreign(part.media_type) for part, _ in manifest.references):
        return ("non-distributable layers are deprecated and not kept by this registry",)
    return ()


def _annotations(document: Image | Index) -> str:
    return encode(dict(document.annotations)).decode() if document.annotations else ""


def _references(
    parts: tuple[Descriptor, ...], *, is_index: bool
) -> tuple[tuple[Descriptor, Reference], ...]:
    def kind(part: Descriptor) -> Reference:
        if is_index and part.is_manifest:
            return Reference.MANIFEST
        return Reference.FOREIGN if mediatypes.is_foreign(part.media_type) else Reference.BLOB

    return tuple((part, kind(part)) for part in parts)


def _check_data(part: Descriptor) -> None:
    """Check embedded content: readers may take it instead of fetching (image-spec, ``data``)."""
    data = part.fields.get("data")
    if data is None:
        return
    try:
        embedded = b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ManifestInvalid(f"the data of {part.digest} is not base64") from None
    if len(embedded) != part.size or Digest.of(embedded, part.digest.algorithm) != part.digest:
        raise ManifestInvalid(f"the data of {part.digest} is not the content that it names")
