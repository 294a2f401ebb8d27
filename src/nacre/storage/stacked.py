"""The storage drivers that stack a folder a layer, whoever does the stacking."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from nacre.errors import NacreError
from nacre.layers.diff import Change, upper_changes
from nacre.layers.rootpath import Root
from nacre.layers.whiteout import Overlay
from nacre.oci.digest import Digest
from nacre.storage.attributes import copy_attributes
from nacre.storage.chain import Chain
from nacre.storage.driver import LayerSink
from nacre.storage.folders import Folders
from nacre.storage.lower import UnionLower
from nacre.storage.scratch import Scratch, Scratches


class Stacker(Protocol):
    """Mounts folders on top of each other."""

    def mount(
        self, lowers: Sequence[Path], at: Path, *, label: str, top: Scratch | None = None
    ) -> None:
        """Mount folders, the topmost first, with a writable top or read-only.

        Args:
            lowers: the folders.
            at: where.
            label: names the tree, for those who look at the list of mounts.
            top: the writable top.

        Raises:
            Denied: the operating system does not let us mount.
            Unsupported: it cannot.
        """

    def unmount(self, at: Path) -> None:
        """Unmount what is mounted on a folder.

        Raises:
            NotFound: nothing is.
            Conflict: it is in use.
        """

    def settle(self, upper: Path) -> None:
        """Bring what was written to a top into the form that overlayfs gives it."""


class TreeMounts(Protocol):
    """The mounts of trees, see `nacre.storage.mounts.SharedMounts`."""

    def mounted(self, key: str, mount: Callable[[Path], None]) -> AbstractContextManager[Path]:
        """Give the root of a tree for as long as the context lasts."""

    def attach(self, key: str, mount: Callable[[Path], None], folder: Path) -> None:
        """Let a tree appear in a folder until ``detach``."""

    def detach(self, folder: Path) -> None:
        """End what ``attach`` began."""

    def attached(self) -> Iterator[tuple[Path, str]]:
        """Go through the folders where trees are attached, with their keys."""

    def in_use(self) -> set[str]:
        """Return the keys of the trees that a process uses or that are attached."""

    def recover(self) -> None:
        """Clear away what dead processes left."""


class StackedDriver:
    """Stacks a folder a layer; see `nacre.storage.driver.StorageDriver`.

    Args:
        name: of the driver.
        form: the form in which whiteouts and the like are written down.
        folders: the folders of layers.
        scratches: the writable tops.
        stacker: stacks them.
        mounts: the mounts of trees of this store and driver.
    """

    def __init__(
        self,
        name: str,
        form: Overlay,
        *,
        folders: Folders,
        scratches: Scratches,
        stacker: Stacker,
        mounts: TreeMounts,
    ) -> None:
        self._name = name
        self._form = form
        self._folders = folders
        self._scratches = scratches
        self._stacker = stacker
        self._mounts = mounts

    @property
    def name(self) -> str:
        """``overlay`` or ``fuse``."""
        return self._name

    @property
    def form(self) -> Overlay | None:
        """The form in which writable tops are kept."""
        return self._form

    @property
    def in_place(self) -> bool:
        """False: layers are unpacked."""
        return False

    def sink(self) -> AbstractContextManager[LayerSink]:
        """Enter the intake of a layer, which unpacks it as it comes."""
        return self._folders.sink()

    def has(self, layer: Digest) -> bool:
        """Say whether a layer is here as a folder, or was seen to be irregular."""
        return self._folders.has(layer)

    def size(self, layer: Digest) -> int:
        """Return about how many bytes of disk the folder of a layer takes."""
        return self._folders.size(layer)

    def tree_size(self, chain: Chain) -> int:
        """Return about how many bytes of disk a chain takes beyond the folders of its layers."""
        return self._folders.tree_size(chain)

    def make_ready(self, chain: Chain) -> None:
        """Make the folders that a chain needs; see `StorageDriver`."""
        self._folders.make(chain)

    @contextmanager
    def mounted(self, chain: Chain) -> Iterator[Path]:
        """Give the root of the tree of a chain; see `StorageDriver`."""
        with ExitStack() as stack:
            with self._mounting(chain) as mount:
                root = stack.enter_context(self._mounts.mounted(chain.id.file_name, mount))
            yield root

    def attach(self, chain: Chain, folder: Path) -> None:
        """Let the tree of a chain appear in a folder; see `StorageDriver`."""
        with self._mounting(chain) as mount:
            self._mounts.attach(chain.id.file_name, mount, folder)

    def detach(self, folder: Path) -> None:
        """End what ``attach`` began; see `StorageDriver`."""
        self._mounts.detach(folder)

    def attached(self) -> Iterator[tuple[Path, Digest]]:
        """Go through the folders where trees are attached; see `StorageDriver`."""
        for folder, key in self._mounts.attached():
            yield folder, Digest(key.replace("-", ":", 1))

    def prepare(self, name: str, chain: Chain) -> None:
        """Make a writable top over a chain; see `StorageDriver`."""
        with self._folders.using(chain) as lowers:
            root = lowers[0]
            self._scratches.make(name, chain, lambda made: copy_attributes(root, made.upper))

    @contextmanager
    def writable(self, name: str) -> Iterator[Path]:
        """Give the root of a tree with its writable top; see `StorageDriver`."""
        with self._scratches.taken(name) as scratch:
            # A scratch keeps its chain from being pruned.
            with self._folders.using(scratch.chain) as lowers:
                key = scratch.chain.id.file_name
                self._stacker.mount(lowers, scratch.tree, label=key, top=scratch)
            try:
                yield scratch.tree
            finally:
                self._stacker.unmount(scratch.tree)

    @contextmanager
    def changes(self, name: str) -> Iterator[tuple[list[Change], Path]]:
        """Give what a top changed, and its folder; see `StorageDriver`."""
        with self._scratches.taken(name) as scratch:
            self._stacker.settle(scratch.upper)
            lower = UnionLower(self._folders.tree(scratch.chain))
            with Root.open(scratch.upper) as upper:
                yield upper_changes(upper, lower, overlay=self._form), scratch.upper

    def remove(self, name: str) -> None:
        """Remove a writable top; see `StorageDriver`."""
        self._scratches.remove(name)

    def scratches(self) -> Iterator[tuple[str, Chain]]:
        """Go through the writable tops; see `StorageDriver`."""
        for scratch in self._scratches:
            yield scratch.name, scratch.chain

    def prune(self, alive: Collection[Chain]) -> int:
        """Remove the folders that nothing needs; see `StorageDriver`."""

        def needed() -> list[Chain]:
            return [*alive, *(scratch.chain for scratch in self._scratches)]

        return self._folders.prune(needed, self._mounts.in_use)

    def recover(self) -> None:
        """Clear away what dead processes left; see `StorageDriver`."""
        self._mounts.recover()
        self._scratches.recover()
        self._folders.recover()

    @contextmanager
    def _mounting(self, chain: Chain) -> Iterator[Callable[[Path], None]]:
        with self._folders.using(chain) as lowers:
            key = chain.id.file_name
            yield lambda at: self._stacker.mount(lowers, at, label=key)


def trial(stacker: Stacker, form: Overlay, folder: Path) -> str | None:
    """Return why folders cannot be stacked here, None if they can; it is tried.

    Args:
        stacker: what to try.
        form: the form of what it stacks.
        folder: an empty folder, where the store is or would be.
    """
    scratch = Scratch("trial", "", Chain(()), folder)
    lower = folder / "lower"
    for one in (lower, scratch.upper, scratch.work, scratch.tree):
        one.mkdir()
    (lower / "gone").touch()
    try:
        os.setxattr(lower, *form.opaque)
        stacker.mount([lower], scratch.tree, label="trial", top=scratch)
    except (NacreError, OSError) as problem:
        return str(problem)
    try:
        (scratch.tree / "gone").unlink()
    except OSError as problem:
        return f"nothing can be removed from a stack: {os.strerror(problem.errno or 0)}"
    finally:
        with suppress(NacreError):
            stacker.unmount(scratch.tree)
    return None
