"""What a storage driver does, whichever it is.

The life of a layer: its raw tar is written to a ``sink`` while it comes in, and ``commit`` makes it
durable; a process that dies before leaves scratch, which ``recover`` removes. A layer that did not
pass a sink is taken from ``Layers`` when a chain needs it. It stays until ``prune`` is told that
nothing alive has it.

The life of a tree: ``make_ready`` builds what a chain needs beyond its layers, once. ``mounted``
gives the tree, read-only, to a process: all of them, at any time, share one mount, under a lease
that ends with the process. ``attach`` lets the tree appear in a folder of the user's until
``detach``, whoever else comes and goes; the kernel's list of mounts is the only record of it.

The life of a writable top: ``prepare`` makes a scratch over a chain, by a name. ``writable`` gives
its tree to a process. ``changes`` says what was written, ``root`` is where that lies for packing.
It stays, across reboots too, until ``remove``.

Everything may be called by many processes at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from nacre.layers.diff import Change
    from nacre.layers.toc import Toc
    from nacre.layers.whiteout import Overlay
    from nacre.oci.digest import Digest
    from nacre.storage.chain import Chain


class LayerSink(Protocol):
    """Takes in one layer. Left without commit, nothing of it remains."""

    def write(self, data: Buffer) -> None:
        """Take the next bytes of the raw tar.

        Raises:
            BadArchive, BadMember, LayerLimit: the layer cannot be kept as it is.
            Unavailable: the disk is full or failed.
        """

    def commit(self, toc: Toc) -> None:
        """Make the layer durable and visible; the same layer from elsewhere does no harm.

        Args:
            toc: its table of contents; ``toc.layer`` is its diff ID.

        Raises:
            Unavailable: the disk is full or failed.
        """


class TakesLayers(Protocol):
    """What a driver is to whoever brings layers."""

    @property
    def in_place(self) -> bool:
        """Whether raw tars are used where they lie.

        Then whoever takes a layer in keeps its raw tar as a blob of the store, and needs no sink.
        """

    def sink(self) -> AbstractContextManager[LayerSink]:
        """Enter the intake of a layer; which one it is, its bytes tell."""


class StorageDriver(TakesLayers, Protocol):
    """Keeps layers and makes trees of them; see the module."""

    @property
    def name(self) -> str:
        """``erofs``, ``overlay``, ``fuse`` or ``copying``."""

    @property
    def form(self) -> Overlay | None:
        """The form of overlayfs in which writable tops are kept, None for whole trees.

        Whoever packs ``changes`` says so to ``layers.diff.write_layer``.
        """

    def has(self, layer: Digest) -> bool:
        """Say whether the layer is here in the form in which this driver uses it."""

    def make_ready(self, chain: Chain) -> None:
        """Build whatever the tree of a chain needs, so that it is there at once afterwards.

        Raises:
            NotFound: a layer is not here.
            BadLayer: the layers make no tree.
            Unavailable: the disk is full or failed.
        """

    def mounted(self, chain: Chain) -> AbstractContextManager[Path]:
        """Give the root of the tree of a chain, read-only, for as long as the context lasts.

        Raises:
            NotFound, BadLayer, Unavailable: as ``make_ready``.
            Denied: the operating system does not let us mount.
        """

    def attach(self, chain: Chain, folder: Path) -> None:
        """Let the tree of a chain appear, read-only, in a folder that exists, until ``detach``.

        Raises:
            NotFound, BadLayer, Unavailable, Denied: as ``mounted``.
            Conflict: something is mounted there.
            Unsupported: this driver has no mounts.
        """

    def detach(self, folder: Path) -> None:
        """End what ``attach`` began.

        Raises:
            NotFound: no tree of ours is attached there.
            Conflict: somebody uses it.
        """

    def attached(self) -> Iterator[tuple[Path, Digest]]:
        """Go through the folders where trees are attached, with the IDs of their chains."""

    def prepare(self, name: str, chain: Chain) -> None:
        """Make a writable top over a chain, by a name of letters, digits, ``_``, ``.`` and ``-``.

        Raises:
            AlreadyExists: there is one of that name.
        """

    def writable(self, name: str) -> AbstractContextManager[Path]:
        """Give the root of the tree with its writable top, for one process at a time.

        Raises:
            NotFound: there is none of that name.
            Conflict: another process has it.
            Denied: the operating system does not let us mount.
        """

    def changes(self, name: str) -> AbstractContextManager[tuple[list[Change], Path]]:
        """Give what the top changed, in the order of a layer, and the folder it lies in.

        That folder is what ``layers.diff.write_layer`` packs. The tree must not be in use.

        Raises:
            NotFound: there is none of that name.
            Conflict: another process has it.
        """

    def remove(self, name: str) -> None:
        """Remove a writable top and all that was written; one that is not there is no error.

        Raises:
            Conflict: another process has it.
        """

    def scratches(self) -> Iterator[tuple[str, Chain]]:
        """Go through the writable tops and what they lie over."""

    def size(self, layer: Digest) -> int:
        """Return how many bytes of disk this driver uses for a layer; 0 for one it has not."""

    def tree_size(self, chain: Chain) -> int:
        """Return how many bytes of disk this driver uses for a chain, beyond its layers."""

    def prune(self, alive: Collection[Chain]) -> int:
        """Remove what no chain of these, no scratch and no mount needs; return the bytes freed."""

    def recover(self) -> None:
        """Clear away what dead processes left: half-written layers, mounts nobody uses."""
