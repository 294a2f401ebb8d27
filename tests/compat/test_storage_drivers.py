"""The trees that drivers show are those that umoci and GNU tar unpack."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.storage.chain import Chain
from nacre.storage.driver import StorageDriver
from nacre.testing.memory_layers import MemoryLayers
from tests.compat.test_union import (
    BASE,
    STACKS,
    UPDATE,
    unpacked_by_umoci,
    without_times_of_directories,
)
from tests.integration.driver_makers import DRIVERS
from tests.integration.layer_apply import Listing, listing
from tests.peers.mounting import nothing_stays_mounted
from tests.peers.tools import Tool, require_tool
from tests.unit.layers.stacks import Member, Stack

pytestmark = pytest.mark.root


@pytest.fixture
def layers(tmp_path: Path) -> MemoryLayers:
    return MemoryLayers(tmp_path / "tars")


@pytest.fixture(params=DRIVERS)
def driver(
    request: pytest.FixtureRequest, layers: MemoryLayers, tmp_path: Path
) -> Iterator[StorageDriver]:
    with nothing_stays_mounted(tmp_path):
        yield DRIVERS[request.param](tmp_path, layers)


def shown(driver: StorageDriver, layers: MemoryLayers, stack: Stack) -> Listing:
    with driver.mounted(Chain.of(map(layers.add_tar, stack.tars))) as tree:
        return listing(os.fsencode(tree))


@pytest.mark.peers
def test_trees_are_what_umoci_unpacks(
    driver: StorageDriver, layers: MemoryLayers, umoci: Tool, tmp_path: Path
) -> None:
    for name, members in STACKS.items():
        stack = Stack(*members)
        found = unpacked_by_umoci(umoci, stack, tmp_path)
        assert without_times_of_directories(
            shown(driver, layers, stack)
        ) == without_times_of_directories(found), name


@pytest.mark.parametrize("members", [[BASE], [BASE, UPDATE]], ids=["one", "two"])
def test_trees_are_what_gnu_tar_unpacks(
    driver: StorageDriver, layers: MemoryLayers, members: list[list[Member]], tmp_path: Path
) -> None:
    stack = Stack(*members)
    root = tmp_path / "root"
    root.mkdir()
    for tar in stack.tars:
        command = [require_tool("tar"), "-xp", "--numeric-owner", "--xattrs"]
        subprocess.run(
            [*command, "--xattrs-include=*", "-C", root], input=tar, check=True, timeout=60
        )
    assert shown(driver, layers, stack) == listing(os.fsencode(root))


def test_a_whole_debian_is_what_gnu_tar_unpacks(
    driver: StorageDriver, layers: MemoryLayers, debian_rootfs_tar: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    command = [require_tool("tar"), "-xp", "--numeric-owner", "--xattrs", "--xattrs-include=*"]
    subprocess.run([*command, "-C", root, "-f", debian_rootfs_tar], check=True, timeout=240)
    layer = layers.add_tar(debian_rootfs_tar.read_bytes())
    with driver.mounted(Chain.of([layer])) as tree:
        assert listing(os.fsencode(tree)) == listing(os.fsencode(root))
