"""Reading the JSON documents of a store: bounded, checked, strictly parsed."""

from __future__ import annotations

from nacre.errors import Invalid
from nacre.oci import config as configs
from nacre.oci import manifest as manifests
from nacre.oci.config import ImageConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index, Manifest
from nacre.oci.strictjson import MANIFEST_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.content.store import BlobReader


class DocumentTooLarge(Invalid):
    """A manifest, index or config is larger than anyone may read into memory."""

    usual_remedy = "have whoever made the image make it again"


def read_bytes(reader: BlobReader, descriptor: Descriptor) -> bytes:
    """Return the checked bytes of a small blob.

    Raises:
        BlobNotFound: it is not here.
        DocumentTooLarge: it says to be over 4 MiB (CVE-2023-25153); nothing is read then.
        CorruptBlob: the bytes are not what the descriptor says.
    """
    if descriptor.size > MANIFEST_LIMIT:
        raise DocumentTooLarge(
            f"{descriptor.media_type} {descriptor.digest} is larger than {MANIFEST_LIMIT} bytes"
        )
    with reader.open(descriptor) as stream:
        return stream.read()


def read_document(reader: BlobReader, descriptor: Descriptor) -> Manifest | Index:
    """Return a manifest or an index.

    Raises:
        BlobNotFound: it is not here.
        InvalidManifest: it is none; see `nacre.oci.manifest.parse`.
    """
    return manifests.parse(read_bytes(reader, descriptor), descriptor.media_type)


def read_config(reader: BlobReader, manifest: Manifest) -> ImageConfig:
    """Return the config of an image.

    Raises:
        BlobNotFound: it is not here.
        InvalidConfig: it is none.
    """
    return configs.parse(read_bytes(reader, manifest.config))
