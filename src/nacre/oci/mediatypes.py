"""Media types of OCI and of Docker's schema 2, and the questions asked about them."""

from __future__ import annotations

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
OCI_LAYER_TAR = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
_OCI_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar"

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_TAR = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_LAYER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd"
DOCKER_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
IMAGE_MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
MANIFESTS = INDEXES | IMAGE_MANIFESTS
IMAGE_CONFIGS = frozenset({OCI_CONFIG, DOCKER_CONFIG})
FOREIGN_LAYERS = frozenset(
    {_OCI_FOREIGN, f"{_OCI_FOREIGN}+gzip", f"{_OCI_FOREIGN}+zstd", DOCKER_FOREIGN_LAYER}
)
PLAIN_LAYERS = frozenset({OCI_LAYER_TAR, DOCKER_LAYER_TAR, _OCI_FOREIGN})
GZIP_LAYERS = frozenset(
    {OCI_LAYER_GZIP, DOCKER_LAYER_GZIP, DOCKER_FOREIGN_LAYER, f"{_OCI_FOREIGN}+gzip"}
)
ZSTD_LAYERS = frozenset({OCI_LAYER_ZSTD, DOCKER_LAYER_ZSTD, f"{_OCI_FOREIGN}+zstd"})
LAYERS = PLAIN_LAYERS | GZIP_LAYERS | ZSTD_LAYERS

_PACKED = {
    OCI_LAYER_TAR: (OCI_LAYER_GZIP, OCI_LAYER_ZSTD),
    DOCKER_LAYER_TAR: (DOCKER_LAYER_GZIP, DOCKER_LAYER_ZSTD),
}

MANIFEST_ACCEPT = ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST))
"""What a client that understands every manifest sends as ``Accept``."""


def is_index(media_type: str) -> bool:
    """Say whether this is a list of manifests: an OCI index or a Docker manifest list."""
    return media_type in INDEXES


def is_manifest(media_type: str) -> bool:
    """Say whether this is an index or an image manifest: JSON that refers to other content."""
    return media_type in MANIFESTS


def is_layer(media_type: str) -> bool:
    """Say whether this is a file-system layer of any form."""
    return media_type in LAYERS


def is_foreign(media_type: str) -> bool:
    """Say whether this is a layer that must not be distributed through registries."""
    return media_type in FOREIGN_LAYERS


def compressed(media_type: str) -> str:
    """Return the media type of a plain layer's gzip form, in the same family.

    Other media types are returned as they are.
    """
    packed = packed_forms(media_type)
    return packed[0] if packed else media_type


def packed_forms(media_type: str) -> tuple[str, ...]:
    """Return the media types of a plain layer's compressed forms, in the same family.

    Other media types have none.
    """
    return _PACKED.get(media_type, ())


def plain(media_type: str) -> str:
    """Return the media type of a compressed layer's raw tar, in the same family.

    Other media types, those of foreign layers too, are returned as they are.
    """
    return next((tar for tar, packed in _PACKED.items() if media_type in packed), media_type)
