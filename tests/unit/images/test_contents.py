from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from nacre.images.contents import Contents, in_order, is_file
from nacre.images.tree import ImageTree
from nacre.layers.tar.header import BLOCK
from nacre.layers.toc import Toc
from nacre.oci.digest import Digest
from nacre.storage.layers import Layers
from tests.unit.images.shelves import tree_of
from tests.unit.layers.stacks import file, folder, hardlink, symlink

FILES = {f"d/{number:02}": bytes([number]) * (number * 700) for number in range(20)}
LAYERS = (
    [folder("d"), *(file(name, body) for name, body in FILES.items()), symlink("l", "d/01")],
    [file("d/05", b"changed"), file("empty"), hardlink("same", "d/07")],
)
BODIES = {**FILES, "d/05": b"changed", "empty": b"", "same": FILES["d/07"]}


class Counted:
    """Layers that count how often they are opened."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self.opened: list[Digest] = []

    @contextmanager
    def slice(self, layer: Digest, offset: int, size: int) -> Iterator[BinaryIO]:
        self.opened.append(layer)
        with self._layers.slice(layer, offset, size) as stream:
            yield stream

    def toc(self, layer: Digest) -> Toc:
        return self._layers.toc(layer)

    def read(self, layer: Digest) -> object:
        raise NotImplementedError

    def tar(self, layer: Digest) -> Path:
        raise NotImplementedError


@pytest.fixture(params=[True, False], ids=["compressed", "raw"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> ImageTree:
    return tree_of(tmp_path, *LAYERS, compressed=request.param)


def test_every_file_has_its_bytes_in_any_order(tree: ImageTree) -> None:
    with Contents(tree.layers) as contents:
        for name, body in [*BODIES.items(), *reversed(BODIES.items())]:
            assert contents.open(tree.find(name.encode())).read() == body


def test_bytes_that_are_not_read_are_passed_over(tree: ImageTree) -> None:
    with Contents(tree.layers) as contents:
        for name, body in FILES.items():
            if name != "d/05":
                assert contents.open(tree.find(name.encode())).read(3) == body[:3]


def test_in_order_every_layer_passes_once(tree: ImageTree) -> None:
    counted = Counted(tree.layers)
    nodes = {node for _, node in tree.tree.walk() if is_file(node)}
    with Contents(counted) as contents:  # type: ignore[arg-type]
        sizes = [len(contents.open(node).read()) for node in in_order(nodes)]
    assert counted.opened == list(tree.image.diff_ids)
    assert sum(sizes) == sum(map(len, BODIES.values())) - len(BODIES["same"])


def test_a_file_can_be_read_in_small_pieces(tree: ImageTree) -> None:
    with Contents(tree.layers) as contents:
        stream = contents.open(tree.find(b"d/19"))
        pieces = list(iter(lambda: stream.read(999), b""))
    assert b"".join(pieces) == FILES["d/19"]
    assert max(map(len, pieces)) == 999


# Sparse files, as GNU tar wrote them before PAX: only their data is stored.


def sparse_tar() -> bytes:
    """Return a tar with a file of 5,000 bytes: 512 of A from 1,024 on, 100 of B from 4,900 on."""
    import tarfile

    header = bytearray(tarfile.TarInfo("hole").tobuf(tarfile.GNU_FORMAT))
    stored = b"A" * 512 + b"B" * 100
    header[124:136] = b"%011o\0" % len(stored)
    header[156:157] = b"S"
    header[257:265] = b"ustar  \0"
    extents = ((1024, 512), (4900, 100))
    for number, (offset, length) in enumerate(extents):
        at = 386 + 24 * number
        header[at : at + 24] = b"%011o\0%011o\0" % (offset, length)
    header[483:495] = b"%011o\0" % 5000
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + stored + bytes(-len(stored) % BLOCK) + bytes(2 * BLOCK)


HOLE = bytes(1024) + b"A" * 512 + bytes(4900 - 1536) + b"B" * 100


@pytest.mark.parametrize("size", [1, 512, 1000, 1 << 20])
def test_holes_read_as_zeros(tmp_path: Path, size: int) -> None:
    from nacre.content.filesystem import FilesystemBlobs
    from nacre.images.image import Image
    from nacre.images.layers import ImageLayers
    from nacre.storage.tocs import Tocs
    from nacre.testing.builders import LINUX, an_image

    tar = sparse_tar()
    blobs = FilesystemBlobs(tmp_path)
    image = Image(blobs, an_image([tar], compressed=False).into(blobs).bare(), LINUX)
    tree = ImageTree(image, ImageLayers(blobs, Tocs(tmp_path / "tocs"), lambda _: ()))
    node = tree.find(b"hole")
    with Contents(tree.layers) as contents:
        stream = contents.open(node)
        assert b"".join(iter(lambda: stream.read(size), b"")) == HOLE
        assert contents.stored(node).read() == b"A" * 512 + b"B" * 100
