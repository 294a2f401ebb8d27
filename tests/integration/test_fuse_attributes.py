"""Attributes of an image that fuse-overlayfs takes for its own: they never come into effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.errors import Unsupported
from nacre.layers.union import union
from nacre.storage.chain import Chain
from nacre.storage.driver import StorageDriver
from nacre.storage.namespace import usual_ownership
from nacre.testing.members import Member, file, folder
from nacre.testing.memory_layers import MemoryLayers
from nacre.testing.seen import Listing, expected, found
from tests.integration.driver_makers import DRIVERS
from tests.peers.mounting import nothing_stays_mounted
from tests.peers.user import do_as, everyone_may_use_fuse, folder_for, ordinary_user

pytestmark = pytest.mark.root

LOW = [folder("d"), file("d/low", b"low")]
OBEYED = {
    "user.fuseoverlayfs.opaque": b"y",
    "user.overlay.opaque": b"y",
    "user.fuseoverlayfs.origin": b"d/low",
    "user.containers.override_stat": b"5:5:0777",
    "user.fuseoverlayfs.override_stat": b"5:5:0777",
    "security.fuseoverlayfs.override_stat": b"5:5:0777",
}


def layer(name: str, value: bytes) -> list[Member]:
    """Return a layer that has an attribute everywhere."""
    xattrs = ((name.encode(), value),)
    return [
        folder("./", xattrs=xattrs),
        folder("d", xattrs=xattrs),
        file("d/f", b"f", xattrs=xattrs),
    ]


@pytest.fixture
def layers(tmp_path: Path) -> MemoryLayers:
    return MemoryLayers(tmp_path / "tars")


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    with nothing_stays_mounted(tmp_path):
        yield tmp_path


def shown(driver: StorageDriver, chain: Chain) -> Listing:
    with driver.mounted(chain) as tree:
        return found(tree, usual_ownership())


def wanted(layers: MemoryLayers, chain: Chain) -> Listing:
    return expected(union(map(layers.toc, chain.layers)), layers, usual_ownership())


def assert_refused(driver: StorageDriver, chain: Chain, name: str) -> None:
    with pytest.raises(Unsupported, match=f"cannot show .* obeys its attribute '?{name}"):
        shown(driver, chain)
    with pytest.raises(Unsupported):
        driver.make_ready(chain)
    with pytest.raises(Unsupported):
        driver.prepare("top", chain)


@pytest.mark.parametrize("name", OBEYED)
def test_what_fuse_obeys_it_refuses_and_others_show(
    base: Path, layers: MemoryLayers, name: str
) -> None:
    chain = layers.chain(LOW, layer(name, OBEYED[name]))
    assert_refused(DRIVERS["fuse"](base, layers), chain, name)
    for other in ("overlay", "copying"):
        assert shown(DRIVERS[other](base, layers), chain) == wanted(layers, chain)
    # The folders are there now, and good enough for overlay.
    assert_refused(DRIVERS["fuse"](base, layers), chain, name)


def test_names_are_looked_at_also_when_another_driver_made_the_folders(
    base: Path, layers: MemoryLayers
) -> None:
    chain = layers.chain([folder("d"), folder("d/.wh.a"), file("d/.wh.a/f", b"f")])
    assert shown(DRIVERS["overlay"](base, layers), chain) == wanted(layers, chain)
    with pytest.raises(Unsupported, match="takes such a name for a whiteout"):
        shown(DRIVERS["fuse"](base, layers), chain)


def test_attributes_with_other_names_are_shown(base: Path, layers: MemoryLayers) -> None:
    chain = layers.chain(LOW, layer("user.note", b"y"))
    assert shown(DRIVERS["fuse"](base, layers), chain) == wanted(layers, chain)


def check_as_user(base: Path) -> None:
    layers = MemoryLayers(base / "tars")
    driver = DRIVERS["fuse"](base, layers)
    for name, value in OBEYED.items():
        chain = layers.chain(LOW, layer(name, value))
        if name == "user.overlay.opaque":  # escaped in the folders of an ordinary user
            assert shown(driver, chain).keys() == wanted(layers, chain).keys()
        else:
            assert_refused(driver, chain, name)


def test_an_ordinary_user_gets_no_other_tree_either() -> None:
    with ordinary_user() as user, folder_for(user) as base, everyone_may_use_fuse():
        do_as(user, lambda: check_as_user(base))
