"""An image: one manifest, its config and its layers, seen through whatever holds the bytes."""

from __future__ import annotations

from functools import cached_property

from nacre.errors import Unsupported
from nacre.images.select import Offer, offers, read_image_config, read_part, select
from nacre.oci.chain import chain_ids
from nacre.oci.config import ImageConfig, check_layer_count
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest
from nacre.oci.platform import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.content.store import BlobReader

_CREATED = "org.opencontainers.image.created"


class NotAnImage(Unsupported):
    """This is an artifact of another kind: it has no root file system and no config to run."""


class Image:
    """What a descriptor stands for on one platform; immutable, and read only as far as asked.

    Every read is checked against its digest and bounded to 4 MiB. Reading an attribute raises

    - `MissingContent` when a part is not here, `PlatformNotFound` when nothing of an index is,
    - `Invalid` (`InvalidManifest`, `InvalidConfig`, `CorruptBlob`) when a part is not what it
      must be,
    - `NotAnImage` when an artifact is asked for what only images have.
    """

    def __init__(
        self, reader: BlobReader, descriptor: Descriptor, platform: Platform, *, exact: bool = False
    ) -> None:
        """See `nacre.images.select.select` for how ``platform`` and ``exact`` choose."""
        self._reader = reader
        self._wanted = platform
        self._exact = exact
        self.descriptor = descriptor

    def __repr__(self) -> str:
        return f"<Image {self.descriptor.digest}>"

    @cached_property
    def _selected(self) -> tuple[Descriptor, Manifest]:
        return select(self.descriptor, self._reader, self._wanted, exact=self._exact)

    @property
    def manifest_descriptor(self) -> Descriptor:
        """The descriptor of the manifest: the target itself, or what its index lists."""
        return self._selected[0]

    @property
    def manifest(self) -> Manifest:
        """The manifest for the platform."""
        return self._selected[1]

    @property
    def is_image(self) -> bool:
        """Say whether this is an image at all; artifacts are not."""
        return self.manifest.is_image

    @cached_property
    def config(self) -> ImageConfig:
        """The config, which has as many diff_ids as the manifest has layers."""
        if not self.is_image:
            raise NotAnImage(
                f"{self.descriptor.digest} is an artifact of type "
                f"{self.manifest.artifact_type}, not an image"
            )
        config = read_image_config(self.manifest, self._reader)
        check_layer_count(config, self.manifest.layers)
        return config

    @property
    def id(self) -> Digest:
        """The image ID: the digest of the config; of an artifact, that of its manifest.

        (Artifacts commonly share one empty config.)
        """
        return self.manifest.config.digest if self.is_image else self.manifest_descriptor.digest

    @cached_property
    def layers(self) -> tuple[Descriptor, ...]:
        """The descriptors of the layers, base first."""
        return self.manifest.layers

    @cached_property
    def diff_ids(self) -> tuple[Digest, ...]:
        """The digests of the uncompressed layers, base first."""
        return self.config.diff_ids

    @property
    def chain_ids(self) -> tuple[Digest, ...]:
        """The name of the stack up to each layer, base first."""
        return chain_ids(self.diff_ids)

    @property
    def created(self) -> str:
        """When it was made, RFC 3339 as written, or "" when it does not say."""
        if self.is_image:
            return self.config.created
        return self.manifest.annotations.get(_CREATED, "")

    @property
    def platform(self) -> Platform:
        """The platform it runs on, as its config says."""
        return self.config.platform

    @property
    def platforms(self) -> tuple[Offer, ...]:
        """What the index lists, and which of it is here; a lone manifest offers itself."""
        if not self.descriptor.is_index:
            return (Offer(self.platform, self.descriptor, present=True),) if self.is_image else ()
        document = read_part(self.descriptor, self._reader, "manifest")
        return offers(document, self._reader) if isinstance(document, Index) else ()
