"""Storage drivers by name, over a store in a folder, as the present process can use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nacre.storage.copying import CopyingDriver
from nacre.storage.driver import StorageDriver
from nacre.storage.fuse import fuse_driver
from nacre.storage.layers import Layers
from nacre.storage.mounts import SharedMounts
from nacre.storage.namespace import usual_ownership
from nacre.storage.overlay import overlay_driver

DRIVERS: dict[str, Callable[[Path, Layers], StorageDriver]] = {
    "overlay": lambda base, layers: overlay_driver(
        base / "store", layers, SharedMounts(base / "run"), ownership=usual_ownership()
    ),
    "fuse": lambda base, layers: fuse_driver(
        base / "store", layers, base / "run", ownership=usual_ownership()
    ),
    "copying": lambda base, layers: CopyingDriver(
        base / "store", layers, ownership=usual_ownership()
    ),
}
