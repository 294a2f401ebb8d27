"""A tar becomes the blob of a layer."""

from __future__ import annotations

import gzip
import random
import threading
from pathlib import Path

import pytest

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.memory import MemoryBlobs
from nacre.errors import Unsupported
from nacre.images.pack import PackedLayer, packing
from nacre.layers.compression import Compression, Decompressor, Level
from nacre.layers.tar.pieces import PIECE
from nacre.oci import mediatypes
from nacre.oci.digest import Digest

TAR = random.Random(6).randbytes(PIECE) + b"nacre is mother of pearl, " * 100_000
MEDIA_TYPES = {
    Compression.NONE: mediatypes.OCI_LAYER_TAR,
    Compression.GZIP: mediatypes.OCI_LAYER_GZIP,
    Compression.ZSTD: mediatypes.OCI_LAYER_ZSTD,
}


def pack(
    blobs: FilesystemBlobs | MemoryBlobs,
    compression: Compression = Compression.GZIP,
    level: Level = Level.DEFAULT,
    size: int = PIECE,
) -> PackedLayer:
    with blobs.ingest() as ingest, packing(ingest, compression, level) as packer:
        for start in range(0, len(TAR), size):
            packer.write(TAR[start : start + size])
        return packer.finish()


@pytest.mark.parametrize("compression", MEDIA_TYPES)
def test_blob_and_diff_id_are_those_of_the_tar(compression: Compression, tmp_path: Path) -> None:
    blobs = FilesystemBlobs(tmp_path)
    layer = pack(blobs, compression)
    assert layer.blob.media_type == MEDIA_TYPES[compression]
    assert (layer.diff_id, layer.size) == (Digest.of(TAR), len(TAR))
    with blobs.open(layer.blob) as stream:
        decompressor = Decompressor(compression)
        tar = b"".join(decompressor.feed(stream.read())) + decompressor.finish()
    assert tar == TAR


def test_a_plain_layer_is_its_own_blob() -> None:
    layer = pack(MemoryBlobs(), Compression.NONE)
    assert layer.blob.digest == layer.diff_id


def test_gzip_is_the_default_and_one_member(tmp_path: Path) -> None:
    blobs = FilesystemBlobs(tmp_path)
    with blobs.ingest() as ingest, packing(ingest) as packer:
        packer.write(TAR)
        layer = packer.finish()
    assert layer == pack(blobs)
    with blobs.open(layer.blob) as stream:
        assert gzip.decompress(stream.read()) == TAR


def test_how_the_tar_is_cut_does_not_matter() -> None:
    assert pack(MemoryBlobs()) == pack(MemoryBlobs(), size=77_777)


def test_the_level_is_heeded() -> None:
    sizes = [pack(MemoryBlobs(), level=level).blob.size for level in (Level.FAST, Level.SMALL)]
    assert sizes[0] > sizes[1]


def test_what_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    blobs = FilesystemBlobs(tmp_path)
    before = threading.active_count()
    with blobs.ingest() as ingest, packing(ingest) as packer:
        packer.write(TAR)
    assert list(blobs) == []
    assert threading.active_count() == before


def test_layers_cannot_have_every_form() -> None:
    with (
        MemoryBlobs().ingest() as ingest,
        pytest.raises(Unsupported, match="xz"),
        packing(ingest, Compression.XZ),
    ):
        pass
