"""Choosing one image manifest of what a descriptor stands for, among what is at hand."""

from __future__ import annotations

from nacre.content.documents import read_config, read_document
from nacre.content.errors import BlobNotFound
from nacre.errors import NotFound
from nacre.oci import graph
from nacre.oci import platform as platforms
from nacre.oci.config import ImageConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index, InvalidManifest, Manifest
from nacre.oci.platform import Platform, WrongPlatform
from nacre.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.content.store import BlobReader

_NESTING_LIMIT = 8


class MissingContent(NotFound):
    """Part of an image is not here, though the image is known.

    ``descriptor`` is the missing part; ``what`` names its role, as "config" or "layer 3".
    """

    def __init__(self, what: str, descriptor: Descriptor) -> None:
        super().__init__(
            f"{what} {descriptor.digest} is not here",
            remedy="pull or load the image again",
        )
        self.what = what
        self.descriptor = descriptor


class PlatformNotFound(NotFound):
    """The image is not here, or does not exist, for the wanted platform."""


class Offer(Value):
    """A manifest that an index lists for a platform, and whether it is here."""

    platform: Platform
    descriptor: Descriptor
    present: bool


def offers(index: Index, reader: BlobReader) -> tuple[Offer, ...]:
    """Return what an index lists for real platforms, in its order; attestations are left out."""
    return tuple(
        Offer(platform, child, reader.exists(child))
        for child in index.manifests
        if (platform := child.platform) is not None and not platform.is_unknown
    )


def select(
    root: Descriptor, reader: BlobReader, wanted: Platform, *, exact: bool = False
) -> tuple[Descriptor, Manifest]:
    """Return the manifest that suits a platform best among those that are here.

    Where none of an index suits, the first image that is here is taken, as `docker` does when
    one has pulled another platform on purpose; with ``exact`` that is an error.

    Raises:
        MissingContent: the root itself is not here.
        WrongPlatform: with ``exact``, there is one image only and it is for another platform.
        PlatformNotFound: nothing of an index is here, or with ``exact``, nothing that suits.
        InvalidManifest: a manifest is none, or indexes are nested absurdly deep.
    """
    descriptor = root
    for _ in range(_NESTING_LIMIT):
        document = read_part(descriptor, reader, "manifest")
        if isinstance(document, Manifest):
            if exact and document.is_image:
                _check_platform(root, descriptor, document, reader, wanted)
            return descriptor, document
        descriptor = _choose(root, document, reader, wanted, exact=exact)
    raise InvalidManifest(f"index {root.digest} is nested more than {_NESTING_LIMIT} levels deep")


def read_part(descriptor: Descriptor, reader: BlobReader, what: str) -> Manifest | Index:
    """Return a manifest or an index that must be here; ``what`` names it in errors.

    Raises:
        MissingContent: it is not here.
        InvalidManifest: it is none.
    """
    try:
        return read_document(reader, descriptor)
    except BlobNotFound:
        raise MissingContent(what, descriptor) from None


def read_image_config(manifest: Manifest, reader: BlobReader) -> ImageConfig:
    """Return the config of an image, which must be here.

    Raises:
        MissingContent: it is not here.
        InvalidConfig: it is none.
    """
    try:
        return read_config(reader, manifest)
    except BlobNotFound:
        raise MissingContent("config", manifest.config) from None


def _check_platform(
    root: Descriptor,
    descriptor: Descriptor,
    manifest: Manifest,
    reader: BlobReader,
    wanted: Platform,
) -> None:
    actual = descriptor.platform or read_image_config(manifest, reader).platform
    if not platforms.suits(actual, [wanted]):
        raise WrongPlatform(root.digest, [wanted], actual)


def _choose(
    root: Descriptor, index: Index, reader: BlobReader, wanted: Platform, *, exact: bool
) -> Descriptor:
    # Of what is here only, so that an index of ten thousand absent images is no long search.
    present = [child for child in index.manifests if child.is_manifest and reader.exists(child)]
    position = graph.match_one(present, wanted)
    if position is not None and (present[position].platform or len(index.manifests) == 1):
        return present[position]
    if not exact:
        for child in index.manifests:
            if child.is_manifest and not _is_attestation(child) and reader.exists(child):
                return child
    offered = ", ".join(str(platform) for platform in graph.available(index)) or "none"
    raise PlatformNotFound(
        f"image {root.digest} is not here for {wanted}; its index offers {offered}",
        remedy="pull it with --platform",
    )


def _is_attestation(child: Descriptor) -> bool:
    return child.platform is not None and child.platform.is_unknown
