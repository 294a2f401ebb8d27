"""Images of a few members, in a store on disk, as trees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nacre.content.filesystem import FilesystemBlobs
from nacre.images.image import Image
from nacre.images.layers import ImageLayers
from nacre.images.tree import ImageTree
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.mediatypes import OCI_LAYER_GZIP
from nacre.storage.tocs import Tocs
from nacre.testing.builders import LINUX, an_image
from tests.unit.layers.stacks import Member, tar_of


def tree_of(folder: Path, *layers: Sequence[Member], compressed: bool = True) -> ImageTree:
    """Return the tree of an image with these layers, base first."""
    tars = [tar_of(layer) for layer in layers]
    content = an_image(tars, compressed=compressed)
    blobs = FilesystemBlobs(folder)
    root = content.into(blobs)
    image = Image(blobs, root.bare(), LINUX)
    forms: dict[Digest, list[Descriptor]] = {}
    if compressed:
        for diff_id, layer in zip(image.diff_ids, image.layers, strict=True):
            assert layer.media_type == OCI_LAYER_GZIP
            forms[diff_id] = [layer]
    return ImageTree(image, ImageLayers(blobs, Tocs(folder / "tocs"), lambda of: forms.get(of, ())))


def paths(tree: ImageTree, path: str = "/", *, recursive: bool = True) -> list[str]:
    """Return the paths of a listing."""
    return [file.path for file in tree.listing(path.encode(), recursive=recursive).files]
