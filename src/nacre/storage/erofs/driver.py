"""The storage driver ``erofs``: nothing is unpacked.

A layer is its raw tar, a blob of the store. A chain is one index of names and attributes over the
tars of all its layers, however many there are, which the kernel mounts in less than a millisecond
(Linux 6.12, root only). A writable top is an overlay of two: the index and one folder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nacre.layers.whiteout import Overlay
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.erofs.indexes import Index, Indexes, key_of
from nacre.storage.erofs.writable import dress_upper
from nacre.storage.mounting import mount_erofs, mount_overlay, unmount
from nacre.storage.mounts import Mounter, SharedMounts
from nacre.storage.scratch import Scratch, Scratches

if TYPE_CHECKING:
    from nacre.layers.diff import Change
    from nacre.storage.driver import LayerSink
    from nacre.storage.layers import Layers

NAME = "erofs"

OVERLAY_OPTIONS = ("redirect_dir=off", "metacopy=off", "index=off", "xino=on")
"""For writable tops: what was written is the change, whole; the tree looks like one file system."""


class RawTars(Protocol):
    """Where raw tars are kept: as blobs of the store."""

    def sink(self) -> AbstractContextManager[LayerSink]:
        """Enter the intake of a raw tar."""

    def size(self, layer: Digest) -> int:
        """Return how many bytes of disk a raw tar takes; 0 for one that is not here."""


class ErofsDriver:
    """Mounts chains as EROFS images over raw tars; see `nacre.storage.driver.StorageDriver`.

    Args:
        folder: where indexes and writable tops lie; made when first written to.
        layers: the layers that are here.
        tars: where their raw tars are kept.
        shared: the mounts of this store.
    """

    def __init__(self, folder: Path, layers: Layers, tars: RawTars, shared: SharedMounts) -> None:
        self._indexes = Indexes(folder / NAME, layers)
        self._scratches = Scratches(folder / "scratch", NAME)
        self._tars = tars
        self._shared = shared

    @property
    def name(self) -> str:
        """``erofs``."""
        return NAME

    @property
    def form(self) -> Overlay | None:
        """The form in which writable tops are kept."""
        return Overlay.TRUSTED

    @property
    def in_place(self) -> bool:
        """True: raw tars are used where they lie, as blobs of the store."""
        return True

    def sink(self) -> AbstractContextManager[LayerSink]:
        """Enter the intake of a layer: of its raw tar."""
        return self._tars.sink()

    def has(self, layer: Digest) -> bool:
        """Say whether the raw tar of a layer is here."""
        return self.size(layer) > 0

    def size(self, layer: Digest) -> int:
        """Return how many bytes of disk the raw tar of a layer takes."""
        return self._tars.size(layer)

    def tree_size(self, chain: Chain) -> int:
        """Return how many bytes of disk the index of a chain takes, with what belongs to it."""
        return self._indexes.size(chain)

    def make_ready(self, chain: Chain) -> None:
        """Write the index of a chain; see `StorageDriver`."""
        self._indexes.get(chain)

    @contextmanager
    def mounted(self, chain: Chain) -> Iterator[Path]:
        """Give the root of the tree of a chain; see `StorageDriver`."""
        index = self._indexes.get(chain)
        with self._shared.mounted(index.key, self._mounter(chain)) as root:
            yield root

    def attach(self, chain: Chain, folder: Path) -> None:
        """Let the tree of a chain appear in a folder; see `StorageDriver`."""
        index = self._indexes.get(chain)
        self._shared.attach(index.key, self._mounter(chain), folder)

    def detach(self, folder: Path) -> None:
        """End what ``attach`` began; see `StorageDriver`."""
        self._shared.detach(folder)

    def attached(self) -> Iterator[tuple[Path, Digest]]:
        """Go through the folders where trees are attached; see `StorageDriver`."""
        for folder, key in self._shared.attached():
            yield folder, Digest(key.replace("-", ":", 1))

    def prepare(self, name: str, chain: Chain) -> None:
        """Make a writable top over a chain; see `StorageDriver`."""
        index = self._indexes.get(chain, below_overlay=True)
        self._scratches.make(name, chain, lambda made: dress_upper(made.upper, index.image))

    @contextmanager
    def writable(self, name: str) -> Iterator[Path]:
        """Give the root of a tree with its writable top; see `StorageDriver`."""
        with self._scratches.taken(name) as scratch, self._below(scratch) as lower:
            mount_overlay(
                [lower],
                scratch.tree,
                upper=scratch.upper,
                work=scratch.work,
                options=OVERLAY_OPTIONS,
            )
            try:
                yield scratch.tree
            finally:
                unmount(scratch.tree)

    @contextmanager
    def changes(self, name: str) -> Iterator[tuple[list[Change], Path]]:
        """Give what a top changed, and its folder; see `StorageDriver`."""
        # Most commands mount, and are to start quickly.
        from nacre.layers.diff import upper_changes  # noqa: PLC0415
        from nacre.layers.rootpath import Root  # noqa: PLC0415
        from nacre.storage.lower import UnionLower  # noqa: PLC0415

        with self._scratches.taken(name) as scratch:
            lower = UnionLower(self._indexes.tree(scratch.chain))
            with Root.open(scratch.upper) as upper:
                yield upper_changes(upper, lower), scratch.upper

    def remove(self, name: str) -> None:
        """Remove a writable top; see `StorageDriver`."""
        self._scratches.remove(name)

    def scratches(self) -> Iterator[tuple[str, Chain]]:
        """Go through the writable tops; see `StorageDriver`."""
        for scratch in self._scratches:
            yield scratch.name, scratch.chain

    def prune(self, alive: Collection[Chain]) -> int:
        """Remove the indexes that nothing needs; raw tars go as the blobs that they are."""
        kept = [*alive, *(scratch.chain for scratch in self._scratches)]
        used = {key.removesuffix("-below") for key in self._shared.in_use()}
        return self._indexes.keep_only({*map(key_of, kept), *used})

    def recover(self) -> None:
        """Clear away what dead processes left; see `StorageDriver`."""
        self._scratches.recover()
        self._shared.recover()
        self._indexes.recover()

    def _below(self, scratch: Scratch) -> AbstractContextManager[Path]:
        index = self._indexes.get(scratch.chain, below_overlay=True)
        mounter = self._mounter(scratch.chain, below_overlay=True)
        return self._shared.mounted(index.key, mounter)

    def _mounter(self, chain: Chain, *, below_overlay: bool = False) -> Mounter:
        def mount(at: Path) -> None:
            # Once more: since it was made, others may have pruned.
            index: Index = self._indexes.get(chain, below_overlay=below_overlay)
            mount_erofs(index.image, index.devices, at)

        return mount
