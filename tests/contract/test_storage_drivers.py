"""Every storage driver keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from nacre.layers.ownership import KEEP, RECORDED, Ownership
from nacre.storage.copying import CopyingDriver
from nacre.storage.driver import StorageDriver
from nacre.storage.erofs.driver import ErofsDriver
from nacre.storage.fuse import fuse_driver
from nacre.storage.mounts import SharedMounts
from nacre.storage.namespace import enter, usual_ownership
from nacre.storage.overlay import overlay_driver
from nacre.testing.driver_contract import Stage, StorageDriverContract
from nacre.testing.memory_layers import MemoryLayers
from nacre.testing.memory_tars import MemoryTars
from tests.peers.user import User, do_as, everyone_may_use_fuse, folder_for, ordinary_user

Maker = Callable[[Path, MemoryLayers, SharedMounts], StorageDriver]


def stage_of(base: Path, make: Maker, *, ownership: Ownership, has_mounts: bool = True) -> Stage:
    """Return a fresh stage in an empty folder."""
    store, run, folder = (base / name for name in ("store", "run", "folder"))
    for one in (store, run, folder):
        one.mkdir()
    layers = MemoryLayers(base / "tars")
    return Stage(
        layers,
        lambda: make(store, layers, SharedMounts(run)),
        *(store, folder, ownership),
        has_mounts=has_mounts,
    )


@pytest.mark.root
class TestErofs(StorageDriverContract):
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Stage:
        tars = MemoryTars()
        return stage_of(
            tmp_path,
            lambda store, layers, shared: ErofsDriver(store, layers, tars, shared),
            ownership=KEEP,
        )


@pytest.mark.root
class TestOverlay(StorageDriverContract):
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Stage:
        return stage_of(tmp_path, overlay_driver, ownership=KEEP)


@pytest.mark.root
@pytest.mark.peers
class TestFuse(StorageDriverContract):
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Stage:
        return fuse_stage(tmp_path, ownership=KEEP)


class TestCopying(StorageDriverContract):
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Stage:
        return copying_stage(tmp_path)


def fuse_stage(base: Path, *, ownership: Ownership) -> Stage:
    def make(store: Path, layers: MemoryLayers, _shared: SharedMounts) -> StorageDriver:
        return fuse_driver(store, layers, base / "run", ownership=ownership)

    return stage_of(base, make, ownership=ownership)


def copying(
    store: Path, layers: MemoryLayers, _shared: SharedMounts, ownership: Ownership = KEEP
) -> StorageDriver:
    return CopyingDriver(store, layers, ownership=ownership)


# The same as an ordinary user, in processes of the user's

SUITE = [name for name in dir(StorageDriverContract) if name.startswith("test_")]


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with ordinary_user() as one:
        yield one


def overlay_inside(base: Path, *, ranges: bool) -> Stage:
    enter(ranges=ranges)
    ownership = usual_ownership()
    assert ownership.record is not ranges
    return stage_of(base, partial(overlay_driver, ownership=ownership), ownership=ownership)


def fuse_inside(base: Path) -> Stage:
    enter()
    return fuse_stage(base, ownership=KEEP)


def copying_stage(base: Path) -> Stage:
    ownership = usual_ownership()
    make = partial(copying, ownership=ownership)
    return stage_of(base, make, ownership=ownership, has_mounts=False)


STAGES: dict[str, Callable[[Path], Stage]] = {
    "overlay with a range of numbers": partial(overlay_inside, ranges=True),
    "overlay with one number": partial(overlay_inside, ranges=False),
    "copying": copying_stage,
    "fuse": partial(fuse_stage, ownership=RECORDED),
    "fuse with a range of numbers": fuse_inside,
}


@pytest.mark.root
@pytest.mark.peers
@pytest.mark.parametrize("name", SUITE)
@pytest.mark.parametrize("stage", STAGES)
def test_an_ordinary_user_gets_the_same(user: User, stage: str, name: str) -> None:
    with folder_for(user) as base, everyone_may_use_fuse():
        do_as(user, lambda: getattr(StorageDriverContract(), name)(STAGES[stage](base)))
