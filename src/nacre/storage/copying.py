"""The storage driver ``copying``: no mounts at all, for where nobody may mount anything.

::

    <folder>/copies/<kind>/trees/<chain ID>/tree     the tree of a chain, unpacked once
    <folder>/copies/<kind>/trees/<chain ID>/lease    locked by each process that uses it

The tree of a chain is a plain folder, so nothing but good manners keeps it from being changed. A
writable top is a whole copy of it, which costs little where the file system can share bytes.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nacre.content.diskerrors import disk_errors
from nacre.content.locking import is_locked
from nacre.errors import NotFound, Unsupported
from nacre.layers.diff import Change, tree_changes
from nacre.layers.ownership import KEEP, Ownership
from nacre.layers.rootpath import Root
from nacre.layers.stack import EMPTY, delta
from nacre.layers.union import union
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.copytree import copy_tree
from nacre.storage.layers import Layers
from nacre.storage.scratch import Scratch, Scratches
from nacre.storage.staging import Staging, disk_usage, sync_file_system
from nacre.storage.trials import trial_folder
from nacre.storage.unpacking import delta_sizes, unpack_delta

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from nacre.layers.toc import Toc

NAME = "copying"

_TREES = "trees"
_TREE, _LEASE, _SIZE = "tree", "lease", "size"


class CopyingDriver:
    """Unpacks and copies; see `nacre.storage.driver.StorageDriver`.

    Args:
        folder: where trees and writable tops lie; made when first written to.
        layers: the layers that are here.
        ownership: how owners in layers become owners on disk.
    """

    def __init__(self, folder: Path, layers: Layers, *, ownership: Ownership = KEEP) -> None:
        kind = "recorded" if ownership.record else "kept"
        self._staging = Staging(folder / "copies" / kind)
        self._scratches = Scratches(folder / "scratch", NAME, end=_nothing)
        self._layers = layers
        self._ownership = ownership

    @property
    def name(self) -> str:
        """``copying``."""
        return NAME

    @property
    def form(self) -> None:
        """None: writable tops are whole trees."""
        return None

    @property
    def in_place(self) -> bool:
        """False: trees are unpacked."""
        return False

    @contextmanager
    def sink(self) -> Iterator[IgnoringSink]:
        """Enter the intake of a layer; nothing is kept, because only whole trees are used."""
        yield IgnoringSink()

    def has(self, layer: Digest) -> bool:
        """Say whether a layer is here at all: no other form of it is used."""
        try:
            self._layers.toc(layer)
        except NotFound:
            return False
        return True

    def size(self, layer: Digest) -> int:  # noqa: ARG002
        """Return 0: what takes space are trees."""
        return 0

    def tree_size(self, chain: Chain) -> int:
        """Return about how many bytes of disk the tree of a chain takes."""
        with suppress(FileNotFoundError):
            place = self._staging.place(_TREES, chain.id.file_name)
            return int((place / _SIZE).read_text("ascii"))
        return 0

    def make_ready(self, chain: Chain) -> None:
        """Unpack the tree of a chain; see `StorageDriver`."""
        key = chain.id.file_name
        place = self._staging.place(_TREES, key)
        if not place.is_dir():
            with self._staging.making(_TREES, key):
                if not place.is_dir():
                    self._unpack(chain, key)

    @contextmanager
    def mounted(self, chain: Chain) -> Iterator[Path]:
        """Give the tree of a chain, which nobody may change; see `StorageDriver`."""
        with self._leased(chain) as tree:
            yield tree

    def attach(self, chain: Chain, folder: Path) -> None:  # noqa: ARG002
        """Refuse: there are no mounts.

        Raises:
            Unsupported: always.
        """
        raise Unsupported(
            f"the storage driver {NAME} cannot mount an image at {folder}",
            remedy="copy files out with nacre image cp, or all of them with nacre image export",
        )

    def detach(self, folder: Path) -> None:
        """Refuse: nothing is attached.

        Raises:
            NotFound: always.
        """
        raise NotFound(f"no image is mounted at {folder}")

    def attached(self) -> Iterator[tuple[Path, Digest]]:
        """Go through nothing."""
        return iter(())

    def prepare(self, name: str, chain: Chain) -> None:
        """Copy the tree of a chain; see `StorageDriver`."""
        with self._leased(chain) as tree:
            self._scratches.make(name, chain, lambda made: _copy(tree, made))

    @contextmanager
    def writable(self, name: str) -> Iterator[Path]:
        """Give a copy; see `StorageDriver`."""
        with self._scratches.taken(name) as scratch:
            yield scratch.tree

    @contextmanager
    def changes(self, name: str) -> Iterator[tuple[list[Change], Path]]:
        """Compare a copy with its origin; see `StorageDriver`."""
        with (
            self._scratches.taken(name) as scratch,
            self._leased(scratch.chain) as tree,
            Root.open(tree) as old,
            Root.open(scratch.tree) as new,
        ):
            yield tree_changes(old, new), scratch.tree

    def remove(self, name: str) -> None:
        """Remove a copy; see `StorageDriver`."""
        self._scratches.remove(name)

    def scratches(self) -> Iterator[tuple[str, Chain]]:
        """Go through the copies; see `StorageDriver`."""
        for scratch in self._scratches:
            yield scratch.name, scratch.chain

    def prune(self, alive: Collection[Chain]) -> int:
        """Remove the trees that nothing needs; see `StorageDriver`."""
        freed = 0

        def doomed() -> Iterator[tuple[str, str]]:
            nonlocal freed
            needed = [*alive, *(scratch.chain for scratch in self._scratches)]
            kept = {chain.id.file_name for chain in needed}
            for key in self._staging.keys(_TREES):
                place = self._staging.place(_TREES, key)
                if key not in kept and not is_locked(place / _LEASE):
                    freed += int((place / _SIZE).read_text("ascii"))
                    yield _TREES, key

        self._staging.take_away(doomed())
        return freed

    def recover(self) -> None:
        """Remove what dead processes left; see `StorageDriver`."""
        self._scratches.recover()
        self._staging.recover()

    @contextmanager
    def _leased(self, chain: Chain) -> Iterator[Path]:
        """Give the tree of a chain, and keep it from being pruned."""
        place = self._staging.place(_TREES, chain.id.file_name)
        with ExitStack() as stack:
            leased = False
            while not leased:
                self.make_ready(chain)
                with self._staging.using(), suppress(FileNotFoundError):
                    lease = os.open(place / _LEASE, os.O_RDONLY | os.O_CLOEXEC)
                    stack.callback(os.close, lease)
                    fcntl.flock(lease, fcntl.LOCK_SH)
                    leased = True
            yield place / _TREE

    def _unpack(self, chain: Chain, key: str) -> None:
        found = delta(EMPTY, union(self._layers.toc(layer) for layer in chain.layers))
        with self._staging.new() as new:
            with disk_errors(new):
                (new / _TREE).mkdir(0o700)
                (new / _LEASE).touch(0o600)
                (new / _SIZE).write_text(str(disk_usage(delta_sizes(found))), "ascii")
            unpack_delta(
                *(found, chain.layers, new / _TREE, self._layers),
                form=None,
                ownership=self._ownership,
            )
            self._staging.put(new, _TREES, key)


class IgnoringSink:
    """Takes in a layer and keeps nothing; see `nacre.storage.driver.LayerSink`."""

    def write(self, data: Buffer) -> None:
        """Pass over the next bytes."""

    def commit(self, toc: Toc) -> None:
        """Do nothing: layers are here by other means."""


def probe(folder: Path) -> str | None:
    """Return why the driver does not work in a folder, None if it does; it is tried.

    Args:
        folder: where the store is, or would be; it exists.
    """
    try:
        with trial_folder(folder):
            return None
    except OSError as problem:
        return f"{folder} cannot be written to: {os.strerror(problem.errno or 0)}"


def _copy(tree: Path, made: Scratch) -> None:
    copy_tree(tree, made.tree)
    sync_file_system(made.folder)


def _nothing(_scratch: Scratch) -> None:
    """Do nothing: a dead process leaves nothing mounted."""
