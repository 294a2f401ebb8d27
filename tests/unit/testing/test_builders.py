from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from nacre.content.documents import read_config, read_document
from nacre.content.memory import MemoryBlobs
from nacre.oci import mediatypes
from nacre.oci.config import check_layer_count
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest
from nacre.oci.platform import Platform
from nacre.testing import a_layer, an_image, an_index

ARM = Platform("linux", "arm", "v7")


def manifest_of(blobs: MemoryBlobs, root: Descriptor) -> Manifest:
    document = read_document(blobs, root)
    assert isinstance(document, Manifest)
    return document


def test_a_layer_is_a_tar_of_files_links_and_folders() -> None:
    data = a_layer({"bin": None, "bin/sh": b"#!", "sh": "bin/sh"})
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert [(each.name, each.type) for each in tar] == [
            ("bin", tarfile.DIRTYPE),
            ("bin/sh", tarfile.REGTYPE),
            ("sh", tarfile.SYMTYPE),
        ]


def test_builders_make_the_same_each_time() -> None:
    assert an_image() == an_image()
    assert an_index([an_image()]) == an_index([an_image()])


@pytest.mark.parametrize("docker", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
def test_an_image_is_whole_and_consistent(docker: bool, compressed: bool) -> None:
    blobs, tars = MemoryBlobs(), [a_layer({"a": b"1"}), a_layer({"b": b"2"})]
    image = an_image(tars, platform=ARM, docker=docker, compressed=compressed)
    assert image.into(blobs) == image.root
    assert image.into(blobs) == image.root
    manifest = manifest_of(blobs, image.root)
    config = read_config(blobs, manifest)
    check_layer_count(config, manifest.layers)
    assert config.platform == ARM == image.root.platform
    assert config.diff_ids == tuple(map(Digest.of, tars))
    for layer, tar in zip(manifest.layers, tars, strict=True):
        data = image.blobs[layer.digest]
        assert (gzip.decompress(data) if compressed else data) == tar
        known = mediatypes.GZIP_LAYERS if compressed else mediatypes.PLAIN_LAYERS
        assert layer.media_type in known


def test_fields_of_the_config_can_be_given() -> None:
    blobs = MemoryBlobs()
    image = an_image(config={"author": "me", "config": {"User": "1"}})
    config = read_config(blobs, manifest_of(blobs, image.into(blobs)))
    assert config.fields["author"] == "me"
    assert config.run == {"User": "1"}


def test_an_index_lists_its_images_with_their_platforms() -> None:
    blobs = MemoryBlobs()
    images = [an_image(), an_image(platform=ARM)]
    index = read_document(blobs, an_index(images).into(blobs))
    assert isinstance(index, Index)
    assert index.manifests == tuple(image.root for image in images)
    assert [each.platform for each in index.manifests] == [image.root.platform for image in images]
