"""Storage drivers by name, over a store in a folder, for tests of root's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nacre.storage.copying import CopyingDriver
from nacre.storage.driver import StorageDriver
from nacre.storage.fuse import fuse_driver
from nacre.storage.layers import Layers
from nacre.storage.mounts import SharedMounts
from nacre.storage.overlay import overlay_driver

DRIVERS: dict[str, Callable[[Path, Layers], StorageDriver]] = {
    "overlay": lambda base, layers: overlay_driver(
        base / "store", layers, SharedMounts(base / "run")
    ),
    "fuse": lambda base, layers: fuse_driver(base / "store", layers, base / "run"),
    "copying": lambda base, layers: CopyingDriver(base / "store", layers),
}
