"""Indexes are made once, the same for the same chain, and anew when damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nacre.content.locking import locked_file
from nacre.erofs.reader import Image
from nacre.errors import NotFound
from nacre.layers.entry import Kind
from nacre.layers.union import BadLayer
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.erofs.indexes import Indexes, key_of
from nacre.testing.members import file, folder, gone, hardlink, special
from nacre.testing.memory_layers import MemoryLayers


@pytest.fixture
def layers(tmp_path: Path) -> MemoryLayers:
    return MemoryLayers(tmp_path / "tars")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "indexes"


@pytest.fixture
def indexes(home: Path, layers: MemoryLayers) -> Indexes:
    return Indexes(home, layers)


def sparse_tar(name: str = "sparse") -> bytes:
    """Return a tar in the format PAX 0.1 of a file of 5000 bytes with ten at 100."""
    records = {
        "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": name,
        "GNU.sparse.size": "5000", "GNU.sparse.map": "100,10",
    }  # fmt: skip
    import io
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("stored")
        member.size, member.pax_headers = 10, records
        archive.addfile(member, io.BytesIO(b"0123456789"))
    return out.getvalue()


def suffixes(home: Path) -> list[str]:
    return sorted(path.suffix for path in home.iterdir())


def test_an_index_and_its_devices(indexes: Indexes, layers: MemoryLayers, home: Path) -> None:
    chain = layers.chain([file("a", b"1")], [file("b", b"2")])
    found = indexes.get(chain)
    assert found.key == key_of(chain) == f"sha256-{chain.id.encoded}"
    assert found.image == home / f"{found.key}.erofs"
    assert found.devices == tuple(map(layers.tar, chain.layers))
    assert suffixes(home) == [".erofs"]
    image = Image(found.image.read_bytes())
    assert {each.path for each in image.walk()} == {b"", b"a", b"b"}


def test_it_is_made_once(indexes: Indexes, layers: MemoryLayers) -> None:
    chain = layers.chain([file("a", b"1")])
    before = indexes.get(chain).image.stat()
    assert os.path.samestat(indexes.get(chain).image.stat(), before)


def test_equal_chains_have_equal_bytes(tmp_path: Path, layers: MemoryLayers) -> None:
    sparse = layers.add_tar(sparse_tar())
    chain = Chain.of(
        [
            sparse,
            *layers.chain(
                [folder("d", xattrs=((b"trusted.overlay.opaque", b"y"),)), file("d/f", b"1")],
                [file("e/g", b"2"), hardlink("h", "d/f"), gone("e")],
            ).layers,
            sparse,
        ]
    )
    made = []
    for place in ("one", "two"):
        Indexes(tmp_path / place, layers).get(chain)
        made.append({path.name: path.read_bytes() for path in (tmp_path / place).iterdir()})
    assert made[0] == made[1]
    assert {Path(name).suffix for name in made[0]} == {".erofs", ".below", ".data"}


def test_only_layers_with_data_are_devices(indexes: Indexes, layers: MemoryLayers) -> None:
    chain = layers.chain([folder("d")], [file("d/f", b"1")])
    assert indexes.get(chain).devices == (layers.tar(chain.layers[1]),)


def test_the_chain_of_no_layers(indexes: Indexes) -> None:
    found = indexes.get(Chain(()))
    assert found.devices == ()
    assert Image(found.image.read_bytes()).superblock.inodes == 1


def test_files_off_the_bounds_of_blocks_are_in_the_companion(
    indexes: Indexes, layers: MemoryLayers, home: Path
) -> None:
    chain = Chain.of([layers.add_tar(sparse_tar())])
    found = indexes.get(chain)
    companion = home / f"{found.key}.data"
    assert found.devices[-1] == companion
    assert companion.read_bytes() == bytes(100) + b"0123456789" + bytes(5120 - 110)


def test_attributes_of_overlayfs_make_a_second_index(
    indexes: Indexes, layers: MemoryLayers, home: Path
) -> None:
    chain = layers.chain([folder("d", xattrs=((b"trusted.overlay.opaque", b"y"),))])
    plain, below = indexes.get(chain), indexes.get(chain, below_overlay=True)
    assert below.key == f"{plain.key}-below"
    names = []
    for index in (plain, below):
        image = Image(index.image.read_bytes())
        names.append([name for name, _ in image.xattrs(image.lookup(b"d"))])
    assert names == [[b"trusted.overlay.opaque"], [b"trusted.overlay.overlay.opaque"]]


def test_without_them_one_is_enough(indexes: Indexes, layers: MemoryLayers, home: Path) -> None:
    chain = layers.chain([folder("d")])
    assert indexes.get(chain) == indexes.get(chain, below_overlay=True)


@pytest.mark.parametrize("size", [0, 100, 1024, 1100])
def test_a_damaged_index_is_made_anew(indexes: Indexes, layers: MemoryLayers, size: int) -> None:
    chain = layers.chain([file("a", b"1")])
    image = indexes.get(chain).image
    whole = image.read_bytes()
    image.write_bytes(whole[:size])
    assert indexes.get(chain).image.read_bytes() == whole


def test_so_is_one_without_its_companion(
    indexes: Indexes, layers: MemoryLayers, home: Path
) -> None:
    chain = Chain.of([layers.add_tar(sparse_tar())])
    companion = indexes.get(chain).devices[-1]
    companion.unlink()
    assert indexes.get(chain).devices[-1].read_bytes()[100:110] == b"0123456789"


def test_a_missing_layer(indexes: Indexes, home: Path) -> None:
    with pytest.raises(NotFound):
        indexes.get(Chain.of([Digest.of(b"nothing")]))
    assert suffixes(home) == []


def test_layers_that_make_no_tree(indexes: Indexes, layers: MemoryLayers, home: Path) -> None:
    with pytest.raises(BadLayer):
        indexes.get(layers.chain([hardlink("a", "nowhere")]))
    assert suffixes(home) == []


def test_what_the_format_cannot_say_is_a_bad_layer(
    indexes: Indexes, layers: MemoryLayers, home: Path
) -> None:
    bad = special("d/disk", Kind.BLK, devmajor=5000)
    with pytest.raises(BadLayer, match="'/d/disk' cannot be stored") as caught:
        indexes.get(layers.chain([file("a")], [bad]))
    assert (caught.value.layer, caught.value.path) == (1, b"d/disk")
    assert suffixes(home) == []


def test_others_are_removed(indexes: Indexes, layers: MemoryLayers, home: Path) -> None:
    kept = layers.chain([file("a", b"1")])
    indexes.get(kept)
    before = {path.name for path in home.iterdir()}
    indexes.get(Chain.of([layers.add_tar(sparse_tar())]))
    indexes.get(layers.chain([folder("d", xattrs=((b"trusted.overlay.opaque", b"y"),))]))
    doomed = [path for path in home.iterdir() if path.name not in before]
    size = sum(path.stat().st_blocks * 512 for path in doomed)
    assert indexes.keep_only({key_of(kept)}) == size > 0
    assert {path.name for path in home.iterdir()} == before


def test_what_dead_processes_left_is_removed(
    indexes: Indexes, layers: MemoryLayers, home: Path
) -> None:
    chain = layers.chain([file("a", b"1")])
    key = indexes.get(chain).key
    for suffix in ("new", "lock"):
        (home / f"{key}.{suffix}").touch()
    indexes.recover()
    assert suffixes(home) == [".erofs"]


def test_what_is_being_made_stays(indexes: Indexes, layers: MemoryLayers, home: Path) -> None:
    key = key_of(layers.chain([file("a", b"1")]))
    home.mkdir()
    (home / f"{key}.new").touch()
    with locked_file(home / f"{key}.lock"):
        assert indexes.keep_only(()) == 0
        assert (home / f"{key}.new").exists()


def test_nothing_else_in_the_folder_is_touched(indexes: Indexes, home: Path) -> None:
    home.mkdir()
    (home / "mine.erofs").touch()
    indexes.keep_only(())
    assert suffixes(home) == [".erofs"]
