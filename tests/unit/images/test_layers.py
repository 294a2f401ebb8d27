from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.store import CorruptBlob
from nacre.images.layers import ImageLayers, LayerNotHere
from nacre.layers.errors import BadArchive, LayerLimit
from nacre.layers.limits import USUAL, Limits
from nacre.layers.toc import TocBuilder
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.mediatypes import OCI_LAYER_GZIP, OCI_LAYER_TAR
from nacre.storage.layers import Layers
from nacre.storage.tocs import Tocs
from nacre.testing.builders import a_layer, put

BIG = bytes(range(256)) * 6000
TAR = a_layer({"etc": None, "etc/motd": b"hello", "big": BIG, "link": "etc/motd"})
LAYER = Digest.of(TAR)
FORMS = ("raw", "compressed", "both")


class Shelf:
    """A store with layers, and what is known of their forms."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = FilesystemBlobs(folder)
        self.tocs = Tocs(folder / "tocs")
        self.forms: dict[Digest, list[Descriptor]] = {}

    def add(self, tar: bytes, form: str, *, data: bytes = b"") -> Digest:
        layer = Digest.of(tar)
        if form != "compressed":
            put(self.blobs, Descriptor(OCI_LAYER_TAR, layer, len(tar)), tar)
        if form != "raw":
            data = data or gzip.compress(tar, mtime=0)
            blob = Descriptor.of(OCI_LAYER_GZIP, data)
            put(self.blobs, blob, data)
            absent = Descriptor.of(OCI_LAYER_GZIP, b"another form, not here")
            self.forms[layer] = [absent, blob]
        return layer

    def layers(self, limits: Limits = USUAL) -> ImageLayers:
        return ImageLayers(
            self.blobs, self.tocs, lambda layer: self.forms.get(layer, ()), limits=limits
        )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.fixture(params=FORMS)
def layers(request: pytest.FixtureRequest, shelf: Shelf) -> Layers:
    shelf.add(TAR, request.param)
    return shelf.layers()


def table_of(tar: bytes) -> object:
    builder = TocBuilder()
    builder.feed(tar)
    return builder.finish(Digest.of(tar))


def test_the_table_is_that_of_the_tar(layers: Layers) -> None:
    assert layers.toc(LAYER) == table_of(TAR)


def test_the_whole_tar_is_read(layers: Layers) -> None:
    with layers.read(LAYER) as stream:
        assert stream.read() == TAR


@pytest.mark.parametrize("size", [1, 511, 100_000])
def test_the_tar_is_read_in_pieces(layers: Layers, size: int) -> None:
    found = bytearray()
    with layers.read(LAYER) as stream:
        while len(found) < 20 * size and (piece := stream.read(size)):
            assert len(piece) <= size
            found += piece
    assert found == TAR[: len(found)]
    assert found


@pytest.mark.parametrize(
    ("offset", "size"),
    [(0, 0), (0, 1), (512, 5), (len(TAR) - 1, 1), (len(TAR), 0), (3000, 1_200_000), (0, len(TAR))],
)
def test_a_slice_is_those_bytes(layers: Layers, offset: int, size: int) -> None:
    with layers.slice(LAYER, offset, size) as stream:
        assert stream.read() == TAR[offset : offset + size]
        assert stream.read() == b""


def test_a_slice_beyond_the_end_is_told(layers: Layers) -> None:
    with layers.slice(LAYER, len(TAR) - 3, 10) as stream, pytest.raises(CorruptBlob):
        stream.read()


def test_the_raw_tar_is_a_file(layers: Layers) -> None:
    assert layers.tar(LAYER).read_bytes() == TAR
    assert layers.tar(LAYER) == layers.tar(LAYER)


def read_all(layers: Layers) -> bytes:
    with layers.read(LAYER) as stream:
        return stream.read()


def first_byte(layers: Layers) -> bytes:
    with layers.slice(LAYER, 0, 1) as stream:
        return stream.read()


ASKING: dict[str, Callable[[Layers], object]] = {
    "toc": lambda layers: layers.toc(LAYER),
    "tar": lambda layers: layers.tar(LAYER),
    "read": read_all,
}


@pytest.mark.parametrize("ask", [*ASKING.values(), first_byte])
def test_a_layer_that_is_not_here_is_told(shelf: Shelf, ask: Callable[[Layers], object]) -> None:
    with pytest.raises(LayerNotHere, match=LAYER) as raised:
        ask(shelf.layers())
    assert raised.value.diff_id == LAYER
    assert raised.value.remedy


# Tables are made once.


def test_a_table_is_kept_and_the_layer_not_read_again(shelf: Shelf) -> None:
    shelf.add(TAR, "both")
    table = shelf.layers().toc(LAYER)
    for blob in list(shelf.blobs):
        shelf.blobs.delete(blob)
    assert shelf.layers().toc(LAYER) == table


def test_the_table_of_an_empty_layer_is_kept_too(shelf: Shelf) -> None:
    layer = shelf.add(bytes(1024), "compressed")
    shelf.layers().toc(layer)
    shelf.forms.clear()
    assert len(shelf.layers().toc(layer)) == 0


def test_a_damaged_table_is_made_anew(shelf: Shelf) -> None:
    shelf.add(TAR, "compressed")
    table = shelf.layers().toc(LAYER)
    (path,) = (shelf.folder / "tocs").iterdir()
    path.write_bytes(b"NACRETOC")
    assert shelf.layers().toc(LAYER) == table
    assert shelf.tocs.get(LAYER) == table


def test_unpacking_makes_the_table_in_the_same_pass(shelf: Shelf) -> None:
    shelf.add(TAR, "compressed")
    shelf.layers().tar(LAYER)
    assert shelf.tocs.get(LAYER) == table_of(TAR)


def test_many_at_once_inflate_once(shelf: Shelf) -> None:
    shelf.add(TAR, "compressed")
    asked: list[Digest] = []

    def forms(layer: Digest) -> list[Descriptor]:
        asked.append(layer)
        return shelf.forms[layer]

    layers = ImageLayers(shelf.blobs, shelf.tocs, forms)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(layers.toc(LAYER))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [table_of(TAR)] * 6
    assert len(asked) == 1


def test_many_at_once_unpack_once(shelf: Shelf) -> None:
    shelf.add(TAR, "compressed")
    asked: list[Digest] = []

    def forms(layer: Digest) -> list[Descriptor]:
        asked.append(layer)
        return shelf.forms[layer]

    layers = ImageLayers(shelf.blobs, shelf.tocs, forms)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(layers.tar(LAYER))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1
    assert len(found) == 6
    assert {path.read_bytes() for path in found} == {TAR}
    assert not list((shelf.folder / "ingest").glob("*"))


# What is wrong is said, and nothing of it is kept.


def spoilt() -> bytes:
    data = bytearray(gzip.compress(TAR, mtime=0))
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [gzip.compress(TAR + b"\0"), gzip.compress(TAR[:-1024]), gzip.compress(TAR)[:-30], spoilt()],
    ids=["longer", "shorter", "cut off", "spoilt"],
)
@pytest.mark.parametrize("ask", ASKING)
def test_a_blob_that_unpacks_to_something_else(shelf: Shelf, data: bytes, ask: str) -> None:
    shelf.add(TAR, "compressed", data=data)
    # Damage may show in a header before it shows in the digest.
    with pytest.raises((CorruptBlob, BadArchive)):
        ASKING[ask](shelf.layers())
    assert LAYER not in set(shelf.blobs)
    assert shelf.tocs.get(LAYER) is None


def test_a_raw_tar_that_was_changed_is_told(shelf: Shelf) -> None:
    shelf.add(TAR, "raw")
    changed = TAR.replace(b"hello", b"jello")
    shelf.blobs.path(LAYER).write_bytes(changed)
    with pytest.raises(CorruptBlob):
        shelf.layers().toc(LAYER)
    assert shelf.tocs.get(LAYER) is None


def test_a_layer_that_is_no_tar_is_told_and_not_unpacked(shelf: Shelf) -> None:
    layer = shelf.add(b"this is no tar" * 100, "compressed")
    for ask in ("toc", "tar"):
        with pytest.raises(BadArchive):
            getattr(shelf.layers(), ask)(layer)
    assert layer not in set(shelf.blobs)


@pytest.mark.parametrize("ask", ["toc", "tar"])
def test_a_bomb_is_refused(shelf: Shelf, ask: str) -> None:
    layer = shelf.add(a_layer({"zeros": bytes(32 << 20)}), "compressed")
    with pytest.raises(LayerLimit) as raised:
        getattr(shelf.layers(limits=Limits(size=1 << 20)), ask)(layer)
    assert raised.value.limit == "max_output"
    assert layer not in set(shelf.blobs)
    assert not list((shelf.folder / "ingest").glob("*"))


def test_a_folder_that_cannot_be_written_to_is_read_all_the_same(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.add(TAR, "compressed")
    shelf.tocs = Tocs(Path("/proc/self/tocs"))
    assert shelf.layers().toc(LAYER) == table_of(TAR)
