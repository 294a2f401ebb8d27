from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from nacre.layers.errors import BadArchive, Truncated
from nacre.layers.whiteout import Overlay
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.folders import Folders
from nacre.testing.hard_stacks import BASE
from nacre.testing.members import Member, file, folder, gone, hardlink, opaque
from nacre.testing.memory_layers import MemoryLayers
from tests.unit.layers.trees import is_whiteout, mode, ownership, paths

REGULAR = [folder("etc", 0o750), file("etc/new")]
IRREGULAR = [file("tmp/f", b"f" * 5000)]


@pytest.fixture
def layers(tmp_path: Path) -> MemoryLayers:
    return MemoryLayers(tmp_path / "tars")


def folders_in(path: Path, layers: MemoryLayers, *, most: int = 10) -> Folders:
    return Folders(path, layers, form=Overlay.USER, ownership=ownership(), most=most)


@pytest.fixture
def folders(tmp_path: Path, layers: MemoryLayers) -> Folders:
    return folders_in(tmp_path / "folders", layers)


def stacked(folders: Folders, chain: Chain) -> list[str]:
    """Return the kinds and shortened keys of what is stacked, the topmost first."""
    with folders.using(chain) as lowers:
        assert all(lower.is_dir() for lower in lowers)
        return [f"{lower.parts[-3]}/{lower.parts[-2]}" for lower in lowers]


def layer(chain: Chain, number: int) -> str:
    return f"layers/{chain.layers[number].file_name}"


def upto(kind: str, chain: Chain, number: int) -> str:
    return f"{kind}/{Chain(chain.layers[: number + 1]).id.file_name}"


def own(chain: Chain) -> str:
    return f"chains/{chain.id.file_name}"


def take_in(folders: Folders, layers: MemoryLayers, digest: Digest) -> None:
    with folders.sink() as sink:
        sink.write(layers.bytes_of(digest))
        sink.commit(layers.toc(digest))


def test_a_regular_layer_is_kept_by_its_diff_id(folders: Folders, layers: MemoryLayers) -> None:
    one = layers.chain(BASE, REGULAR)
    other = layers.chain([file("x")], REGULAR)
    assert stacked(folders, one) == [own(one), layer(one, 1), layer(one, 0)]
    assert stacked(folders, other)[1] == layer(one, 1)


def test_an_irregular_layer_is_kept_by_its_chain(folders: Folders, layers: MemoryLayers) -> None:
    chain = layers.chain(BASE, IRREGULAR, REGULAR)
    assert stacked(folders, chain) == [
        *(own(chain), layer(chain, 2), upto("deltas", chain, 1), layer(chain, 0))
    ]


def test_chains_that_begin_alike_share_all_they_can(folders: Folders, layers: MemoryLayers) -> None:
    one = layers.chain(BASE, IRREGULAR)
    other = layers.chain(BASE, IRREGULAR, REGULAR)
    assert stacked(folders, other)[2:] == stacked(folders, one)[1:]


def test_of_a_repeated_layer_only_the_topmost_is_stacked(
    folders: Folders, layers: MemoryLayers
) -> None:
    chain = layers.chain(BASE, REGULAR, [gone("etc")], REGULAR)
    assert stacked(folders, chain) == [own(chain), *(layer(chain, n) for n in (3, 2, 0))]


def test_an_irregular_layer_is_stacked_as_often_as_it_occurs(
    folders: Folders, layers: MemoryLayers
) -> None:
    chain = layers.chain(BASE, IRREGULAR, [gone("tmp")], IRREGULAR)
    deltas = [upto("deltas", chain, 3), upto("deltas", chain, 1)]
    assert [part for part in stacked(folders, chain) if part.startswith("deltas")] == deltas


def test_a_lone_layer_lies_under_the_root(folders: Folders, layers: MemoryLayers) -> None:
    chain = layers.chain(BASE)
    assert stacked(folders, chain) == [own(chain), layer(chain, 0)]


def test_no_layers_are_padded(folders: Folders) -> None:
    empty = Chain.of([])
    with folders.using(empty) as lowers:
        assert [lower.name for lower in lowers] == ["root", "padding"]
        assert all(list(lower.iterdir()) == [] for lower in lowers)


def test_the_root_has_its_attributes_on_top(folders: Folders, layers: MemoryLayers) -> None:
    chain = layers.chain([folder("./", 0o711, mtime=5)], REGULAR)
    with folders.using(chain) as lowers:
        assert (mode(lowers[0]), lowers[0].stat().st_mtime) == (0o711, 5)


def test_beyond_the_limit_the_lowest_are_one_folder(tmp_path: Path, layers: MemoryLayers) -> None:
    folders = folders_in(tmp_path / "folders", layers, most=3)
    stack: list[Sequence[Member]] = [BASE, REGULAR, [gone("bin")], IRREGULAR, [file("top")]]
    chain = layers.chain(*stack)
    assert stacked(folders, chain) == [
        *(own(chain), layer(chain, 4), upto("deltas", chain, 3), upto("merged", chain, 2))
    ]
    with folders.using(chain) as lowers:
        found = paths(lowers[-1])
    assert "etc/new" in found
    assert "bin" not in found
    just = layers.chain(*stack[:3])
    assert stacked(folders, just) == [own(just), *(layer(just, n) for n in (2, 1, 0))]


def test_removals_are_written_down(folders: Folders, layers: MemoryLayers) -> None:
    chain = layers.chain(BASE, [gone("etc/motd"), file("home/u/n"), opaque("home/u")])
    with folders.using(chain) as lowers:
        assert is_whiteout(lowers[1] / "etc" / "motd")
        assert paths(lowers[1] / "home") == ["u/", "u/n"]


# Layers as they come in


def test_a_regular_layer_is_unpacked_as_it_comes(folders: Folders, layers: MemoryLayers) -> None:
    chain = layers.chain(REGULAR)
    take_in(folders, layers, chain.layers[0])
    toc = layers.toc(chain.layers[0])
    assert folders.has(toc.layer)
    assert folders.size(toc.layer) == 3 * 4096


def test_an_irregular_layer_is_only_remembered(folders: Folders, layers: MemoryLayers) -> None:
    digest = layers.add(*IRREGULAR)
    take_in(folders, layers, digest)
    assert folders.has(digest)
    assert folders.size(digest) == 4096


def test_a_layer_that_needs_others_is_no_error(folders: Folders, layers: MemoryLayers) -> None:
    digest = layers.add(hardlink("x", "etc/motd"), file("y"))
    take_in(folders, layers, digest)
    assert folders.has(digest)


def test_half_a_layer_is_not_kept(folders: Folders, layers: MemoryLayers) -> None:
    digest = layers.add(file("a"), file("b", b"x" * 10))
    with folders.sink() as sink:
        sink.write(layers.bytes_of(digest)[:1000])
        with pytest.raises(Truncated):
            sink.commit(layers.toc(digest))
    assert not folders.has(digest)


def test_a_malformed_layer_is_told_at_once(folders: Folders, layers: MemoryLayers) -> None:
    with folders.sink() as sink, pytest.raises(BadArchive):
        sink.write(b"x" * 2000)


# Pruning


def test_the_folder_of_a_chain_goes_with_what_only_it_needs(
    folders: Folders, layers: MemoryLayers, tmp_path: Path
) -> None:
    kept = layers.chain(BASE, REGULAR)
    doomed = layers.chain(BASE, IRREGULAR, [folder("y")])
    for chain in (kept, doomed):
        folders.make(chain)
    assert folders.prune(lambda: [kept], set) > 0
    there = tmp_path / "folders"
    found = {str(path.relative_to(there)) for path in there.glob("*/sha256-*")}
    assert found == {own(kept), layer(kept, 0), layer(kept, 1)}


def test_a_chain_that_is_mounted_stays(folders: Folders, layers: MemoryLayers) -> None:
    chain = layers.chain(BASE, IRREGULAR)
    folders.make(chain)
    assert folders.prune(list, lambda: {chain.id.file_name}) == 0
    assert folders.prune(list, set) > 0


def test_layers_of_a_chain_that_was_never_used_stay(folders: Folders, layers: MemoryLayers) -> None:
    chain = layers.chain(BASE)
    take_in(folders, layers, chain.layers[0])
    assert folders.prune(lambda: [chain], set) == 0
    assert folders.has(chain.layers[0])
